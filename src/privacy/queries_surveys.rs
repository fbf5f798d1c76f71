//! What a person was asked and answered, and what was made of it.
use crate::db::schema::{
    survey_attempts, survey_followups, survey_invitations, survey_mail_answers, survey_responses, survey_reviews,
    survey_revisions,
};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::Result;
use crate::ids::{ContactId, InvitationId, ResponseId, TicketId, WaveId};
use crate::surveys::model::{Outcome, SurveyKind};
use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Answers of one statement.
const ANSWERS_AT_ONCE: usize = 500;

type AskedColumns =
    (InvitationId, Named<SurveyKind>, Option<TicketId>, Option<WaveId>, Named<Outcome>, Option<Time>, Option<Time>);
type AnswerColumns = (ResponseId, i32, String, Time, Option<Time>, bool);
type ReviewColumns = (ResponseId, String, Option<Time>, Json, String);
type FollowupColumns = (ResponseId, Time, Option<String>, String, Option<Time>, Option<TicketId>);

/// What answers were before, how they were reviewed, and how they were followed up.
#[derive(Default)]
struct Around {
    earlier: HashMap<ResponseId, Vec<Value>>,
    reviews: HashMap<ResponseId, Value>,
    followups: HashMap<ResponseId, Value>,
}

/// Four queries.
fn around(conn: &mut Conn, answers: &[ResponseId], around: &mut Around) -> Result<()> {
    use survey_attempts as a;
    use survey_followups as f;
    use survey_reviews as w;
    use survey_revisions as v;
    let revisions: Vec<(ResponseId, i32, String, Time)> = v::table
        .filter(v::response_id.eq_any(answers))
        .order((v::response_id, v::revision))
        .select((v::response_id, v::score, v::comment, v::at))
        .load(conn)?;
    for (id, score, comment, when) in revisions {
        around.earlier.entry(id).or_default().push(json!({ "score": score, "comment": comment, "at": when.0 }));
    }
    let reviews: Vec<ReviewColumns> = w::table
        .filter(w::response_id.eq_any(answers))
        .select((w::response_id, w::state, w::reviewed_at, w::causes, w::note))
        .load(conn)?;
    for (id, state, reviewed, causes, note) in reviews {
        let review = json!({ "state": state, "reviewed_at": reviewed.map(|at| at.0), "causes": causes.0, "note": note });
        around.reviews.insert(id, review);
    }
    let tries: Vec<(ResponseId, Time, String, String)> = a::table
        .filter(a::response_id.eq_any(answers))
        .order((a::at, a::id))
        .select((a::response_id, a::at, a::how, a::note))
        .load(conn)?;
    let mut attempts: HashMap<ResponseId, Vec<Value>> = HashMap::new();
    for (id, when, how, note) in tries {
        attempts.entry(id).or_default().push(json!({ "at": when.0, "how": how, "note": note }));
    }
    let followups: Vec<FollowupColumns> = f::table
        .filter(f::response_id.eq_any(answers))
        .select((f::response_id, f::due_at, f::outcome, f::why, f::ended_at, f::ticket_id))
        .load(conn)?;
    for (id, due, outcome, why, ended, ticket) in followups {
        let followup = json!({
            "due_at": due.0, "outcome": outcome, "why": why, "ended_at": ended.map(|at| at.0), "ticket_id": ticket,
            "attempts": attempts.remove(&id).unwrap_or_default(),
        });
        around.followups.insert(id, followup);
    }
    Ok(())
}

type MailAnswerColumns = (InvitationId, String, String, Option<i32>, String, Time);

/// What the person answered by mail, by the survey.
fn answers_by_mail(conn: &mut Conn, id: ContactId) -> Result<HashMap<InvitationId, Vec<Value>>> {
    use survey_invitations as i;
    use survey_mail_answers as m;
    let rows: Vec<MailAnswerColumns> = m::table
        .inner_join(i::table.on(i::id.eq(m::invitation_id)))
        .filter(i::contact_id.eq(id))
        .order(m::id)
        .select((m::invitation_id, m::sender, m::body, m::score, m::state, m::received_at))
        .load(conn)?;
    let mut listed: HashMap<InvitationId, Vec<Value>> = HashMap::new();
    for (survey, sender, text, score, state, received) in rows {
        let said = json!({ "sender": sender, "text": text, "score": score, "state": state, "received_at": received.0 });
        listed.entry(survey).or_default().push(said);
    }
    Ok(listed)
}

/// What the person was asked, and answered, with what the answers said before and what was made of them.
pub(super) fn surveys(conn: &mut Conn, id: ContactId) -> Result<Vec<Value>> {
    use survey_invitations as i;
    use survey_responses as r;
    let rows: Vec<(AskedColumns, Option<AnswerColumns>)> = i::table
        .left_join(r::table.on(r::invitation_id.eq(i::id)))
        .filter(i::contact_id.eq(id))
        .order((i::closed_at, i::id))
        .select((
            (i::id, i::kind, i::ticket_id, i::wave_id, i::outcome, i::sent_at, i::expires_at),
            (r::id, r::score, r::comment, r::answered_at, r::edited_at, r::is_counted).nullable(),
        ))
        .load(conn)?;
    let answers: Vec<ResponseId> = rows.iter().filter_map(|row| row.1.as_ref().map(|answer| answer.0)).collect();
    let mut more = Around::default();
    for chunk in answers.chunks(ANSWERS_AT_ONCE) {
        around(conn, chunk, &mut more)?;
    }
    let mut by_mail = answers_by_mail(conn, id)?;
    let listed = rows.into_iter().map(|((id, kind, ticket, wave, outcome, sent, expires), answer)| {
        let answer = answer.map(|(id, score, comment, answered, edited, is_counted)| {
            json!({
                "id": id, "score": score, "comment": comment, "answered_at": answered.0, "edited_at": edited.map(|at| at.0),
                "is_counted": is_counted, "earlier": more.earlier.remove(&id).unwrap_or_default(),
                "review": more.reviews.remove(&id), "followup": more.followups.remove(&id),
            })
        });
        json!({
            "id": id, "kind": kind.0, "ticket_id": ticket, "wave_id": wave, "outcome": outcome.0,
            "sent_at": sent.map(|at| at.0), "expires_at": expires.map(|at| at.0), "answer": answer,
            "by_mail": by_mail.remove(&id).unwrap_or_default(),
        })
    });
    Ok(listed.collect())
}
