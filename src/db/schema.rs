//! The tables as diesel sees them: the same on both databases (a test compares them).
#![allow(missing_docs)]
use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    calendars (id) {
        id -> Uid,
        name -> Text,
        is_default -> Bool,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    calendar_versions (calendar_id, version) {
        calendar_id -> Uid,
        version -> Integer,
        definition -> JsonDoc,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    organizations (id) {
        id -> Uid,
        account -> Nullable<Text>,
        name -> Text,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    contacts (id) {
        id -> Uid,
        organization_id -> Nullable<Uid>,
        name -> Text,
        time_zone -> Nullable<Text>,
        language -> Text,
        surveys_stopped_at -> Nullable<BigInt>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    contact_emails (address) {
        address -> Text,
        contact_id -> Uid,
        position -> Integer,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    contact_phones (number) {
        number -> Text,
        contact_id -> Uid,
        position -> Integer,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    agents (id) {
        id -> Uid,
        name -> Text,
        email -> Text,
        role -> Text,
        disabled_at -> Nullable<BigInt>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    teams (id) {
        id -> Uid,
        name -> Text,
        calendar_id -> Nullable<Uid>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    team_members (team_id, agent_id) {
        team_id -> Uid,
        agent_id -> Uid,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    tokens (id) {
        id -> Uid,
        agent_id -> Nullable<Uid>,
        name -> Text,
        scopes -> Text,
        secret_hash -> Binary,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    idempotency_keys (token_id, key) {
        token_id -> Uid,
        key -> Text,
        fingerprint -> Binary,
        status -> Integer,
        etag -> Nullable<Text>,
        location -> Nullable<Text>,
        body -> Text,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    policies (id) {
        id -> Uid,
        name -> Text,
        position -> Integer,
        is_active -> Bool,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    policy_versions (policy_id, version) {
        policy_id -> Uid,
        version -> Integer,
        definition -> JsonDoc,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    tickets (number) {
        number -> BigInt,
        id -> Uid,
        subject -> Text,
        channel -> Text,
        direction -> Text,
        status -> Text,
        priority -> Text,
        contact_id -> Uid,
        organization_id -> Nullable<Uid>,
        team_id -> Nullable<Uid>,
        assignee_id -> Nullable<Uid>,
        follows_id -> Nullable<Uid>,
        received_at -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        picked_up_at -> Nullable<BigInt>,
        closed_at -> Nullable<BigInt>,
        close_count -> Integer,
        version -> Integer,
        promise_due_at -> BigInt,
        promise_warn_at -> BigInt,
        promises_breached -> Integer,
        promises_met -> Integer,
        fields -> Nullable<JsonDoc>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    ticket_tags (ticket_id, tag) {
        ticket_id -> Uid,
        tag -> Text,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    messages (id) {
        id -> Uid,
        ticket_id -> Uid,
        kind -> Text,
        agent_id -> Nullable<Uid>,
        contact_id -> Nullable<Uid>,
        body -> Text,
        mail_message_id -> Nullable<Text>,
        at -> BigInt,
        attachments -> Nullable<JsonDoc>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    attachments (id) {
        id -> Uid,
        message_id -> Nullable<Uid>,
        token_id -> Uid,
        agent_id -> Nullable<Uid>,
        file_name -> Text,
        media_type -> Text,
        size_bytes -> BigInt,
        sha256 -> Binary,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    canned_replies (id) {
        id -> Uid,
        name -> Text,
        body -> Text,
        team_id -> Nullable<Uid>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    saved_views (id) {
        id -> Uid,
        name -> Text,
        audience -> Text,
        agent_id -> Uid,
        team_id -> Nullable<Uid>,
        filter -> JsonDoc,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    fields (key) {
        key -> Text,
        id -> Uid,
        label -> Text,
        kind -> Text,
        required_to_close -> Bool,
        options -> JsonDoc,
        position -> Integer,
        is_archived -> Bool,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    ticket_fields (ticket_id, key) {
        ticket_id -> Uid,
        key -> Text,
        value -> Text,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    clocks (id) {
        id -> Uid,
        ticket_id -> Uid,
        metric -> Text,
        cycle -> Integer,
        policy_id -> Uid,
        policy_version -> Integer,
        calendar_id -> Uid,
        calendar_version -> Integer,
        mode -> Text,
        target_seconds -> BigInt,
        warn_percent -> Integer,
        pauses -> Bool,
        standing -> Text,
        reason -> Nullable<Text>,
        started_at -> BigInt,
        anchor_at -> BigInt,
        used_at_anchor -> BigInt,
        due_at -> Nullable<BigInt>,
        warn_at -> Nullable<BigInt>,
        warned_at -> Nullable<BigInt>,
        breached_at -> Nullable<BigInt>,
        reached_at -> Nullable<BigInt>,
        used_seconds -> Nullable<BigInt>,
        alarm_at -> Nullable<BigInt>,
        channel -> Text,
        priority -> Text,
        team_id -> Nullable<Uid>,
        agent_id -> Nullable<Uid>,
        organization_id -> Nullable<Uid>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    events (id) {
        id -> BigInt,
        ticket_id -> Nullable<Uid>,
        kind -> Text,
        actor -> Text,
        actor_id -> Nullable<Uid>,
        at -> BigInt,
        data -> JsonDoc,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    jobs (id) {
        id -> Uid,
        kind -> Text,
        subject_id -> Uid,
        due_at -> BigInt,
        lease_until -> Nullable<BigInt>,
        attempts -> Integer,
        parked_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    mails (id) {
        id -> Uid,
        kind -> Text,
        ticket_id -> Uid,
        subject_id -> Uid,
        recipient -> Text,
        subject -> Text,
        message_id -> Text,
        in_reply_to -> Nullable<Text>,
        reference_ids -> Nullable<Text>,
        text_body -> Nullable<Text>,
        html_body -> Nullable<Text>,
        state -> Text,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        sent_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    survey_invitations (id) {
        id -> Uid,
        ticket_id -> Uid,
        close_number -> Integer,
        contact_id -> Uid,
        closed_at -> BigInt,
        due_at -> BigInt,
        outcome -> Text,
        outcome_at -> BigInt,
        token_hash -> Nullable<Binary>,
        unsubscribe_hash -> Nullable<Binary>,
        sent_at -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        is_answered -> Bool,
        channel -> Text,
        priority -> Text,
        team_id -> Nullable<Uid>,
        assignee_id -> Nullable<Uid>,
        organization_id -> Nullable<Uid>,
        agent_ids -> JsonDoc,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    survey_responses (id) {
        id -> Uid,
        invitation_id -> Uid,
        score -> Integer,
        comment -> Text,
        answered_at -> BigInt,
        edited_at -> Nullable<BigInt>,
        revision -> Integer,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    survey_revisions (response_id, revision) {
        response_id -> Uid,
        revision -> Integer,
        score -> Integer,
        comment -> Text,
        at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    survey_reviews (response_id) {
        response_id -> Uid,
        state -> Text,
        rank -> Integer,
        due_at -> Nullable<BigInt>,
        agent_id -> Nullable<Uid>,
        claimed_at -> Nullable<BigInt>,
        reviewed_at -> Nullable<BigInt>,
        causes -> JsonDoc,
        note -> Text,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    digests (week_on) {
        week_on -> Text,
        time_zone -> Text,
        from_at -> BigInt,
        to_at -> BigInt,
        written_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    digest_letters (id) {
        id -> Uid,
        week_on -> Text,
        agent_id -> Uid,
        recipient -> Text,
        subject -> Text,
        message_id -> Text,
        text_body -> Text,
        html_body -> Text,
        state -> Text,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        sent_at -> Nullable<BigInt>,
    }
}

allow_tables_to_appear_in_same_query!(
    calendars,
    calendar_versions,
    organizations,
    contacts,
    contact_emails,
    contact_phones,
    agents,
    teams,
    team_members,
    tokens,
    idempotency_keys,
    policies,
    policy_versions,
    tickets,
    ticket_tags,
    messages,
    attachments,
    canned_replies,
    saved_views,
    fields,
    ticket_fields,
    clocks,
    events,
    jobs,
    mails,
    survey_invitations,
    survey_responses,
    survey_revisions,
    survey_reviews,
    digests,
    digest_letters
);
