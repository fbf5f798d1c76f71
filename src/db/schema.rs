//! The tables as diesel sees them: the same on both databases (a test compares them).
#![allow(missing_docs)]
use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    use crate::db::types::Uid;
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
    use crate::db::types::Uid;
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
    use crate::db::types::Uid;
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
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    contact_emails (address) {
        address -> Text,
        contact_id -> Uid,
        position -> Integer,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    contact_phones (number) {
        number -> Text,
        contact_id -> Uid,
        position -> Integer,
    }
}

table! {
    use crate::db::types::Uid;
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
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    teams (id) {
        id -> Uid,
        name -> Text,
        calendar_id -> Nullable<Uid>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
        signature -> Text,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    team_members (team_id, agent_id) {
        team_id -> Uid,
        agent_id -> Uid,
    }
}

table! {
    use crate::db::types::Uid;
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
    use crate::db::types::Uid;
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
    use crate::db::types::Uid;
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
        relations -> Integer,
        merged_into_id -> Nullable<Uid>,
        fields -> Nullable<JsonDoc>,
        tags -> Text,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    ticket_links (ticket_id, other_id) {
        ticket_id -> Uid,
        other_id -> Uid,
        kind -> Text,
        agent_id -> Nullable<Uid>,
        at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    ticket_merges (ticket_id) {
        ticket_id -> Uid,
        into_id -> Uid,
        agent_id -> Nullable<Uid>,
        at -> BigInt,
        was -> JsonDoc,
    }
}

table! {
    use crate::db::types::Uid;
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
        bounce -> Nullable<JsonDoc>,
        cc -> Nullable<JsonDoc>,
        undone_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::Uid;
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
        object -> Nullable<Text>,
        object_id -> Nullable<Uid>,
    }
}

table! {
    use crate::db::types::Uid;
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
        ticket_id -> Nullable<Uid>,
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
        cc -> Nullable<JsonDoc>,
        settled -> Nullable<JsonDoc>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    survey_invitations (id) {
        id -> Uid,
        ticket_id -> Nullable<Uid>,
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
        kind -> Text,
        wave_id -> Nullable<Uid>,
        bounced_at -> Nullable<BigInt>,
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
        flags -> JsonDoc,
        confirmation -> Nullable<Text>,
        decided_at -> Nullable<BigInt>,
        decided_by -> Nullable<Uid>,
        is_counted -> Bool,
        next_score -> Nullable<Integer>,
    }
}

table! {
    use crate::db::types::Uid;
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
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_causes (id) {
        id -> Uid,
        name -> Text,
        retired_at -> Nullable<BigInt>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_suppressions (id) {
        id -> Uid,
        address -> Text,
        detail -> Text,
        invitation_id -> Nullable<Uid>,
        created_at -> BigInt,
        lifted_at -> Nullable<BigInt>,
        lifted_by -> Nullable<Uid>,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_reminders (id) {
        id -> Uid,
        invitation_id -> Uid,
        due_at -> BigInt,
        outcome -> Text,
        outcome_at -> BigInt,
        token_hash -> Nullable<Binary>,
        unsubscribe_hash -> Nullable<Binary>,
        sent_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_followups (response_id) {
        response_id -> Uid,
        due_at -> BigInt,
        owner_id -> Nullable<Uid>,
        outcome -> Nullable<Text>,
        why -> Text,
        ended_at -> Nullable<BigInt>,
        ended_by -> Nullable<Uid>,
        ticket_id -> Nullable<Uid>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_attempts (id) {
        id -> Uid,
        response_id -> Uid,
        agent_id -> Uid,
        at -> BigInt,
        how -> Text,
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
    use crate::db::types::Uid;
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

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    clock_moves (id) {
        id -> Uid,
        edited -> Text,
        edited_id -> Uid,
        version -> Integer,
        at -> BigInt,
        steps -> Integer,
        phase -> Integer,
        cursor_at -> Nullable<BigInt>,
        cursor_id -> Nullable<Uid>,
        moved -> BigInt,
        finished_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    alerts (id) {
        id -> Uid,
        ticket_id -> Uid,
        clock_id -> Uid,
        metric -> Text,
        level -> Text,
        raised_at -> BigInt,
        step -> Integer,
        next_at -> Nullable<BigInt>,
        told_at -> Nullable<BigInt>,
        acknowledged_at -> Nullable<BigInt>,
        acknowledged_by -> Nullable<Uid>,
        ended_at -> Nullable<BigInt>,
        end_reason -> Nullable<Text>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    alert_letters (id) {
        id -> Uid,
        agent_id -> Uid,
        recipient -> Text,
        subject -> Text,
        text_body -> Text,
        html_body -> Text,
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
    webhooks (id) {
        id -> Uid,
        url -> Text,
        description -> Text,
        topics -> Text,
        is_active -> Bool,
        secret -> Binary,
        previous_secret -> Nullable<Binary>,
        previous_until -> Nullable<BigInt>,
        after_event_id -> BigInt,
        failing_since -> Nullable<BigInt>,
        disabled_at -> Nullable<BigInt>,
        disabled_reason -> Nullable<Text>,
        next_at -> Nullable<BigInt>,
        lease_until -> Nullable<BigInt>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    webhook_cursor (id) {
        id -> Integer,
        event_id -> BigInt,
        horizon_id -> Nullable<BigInt>,
        horizon_xid -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    webhook_deliveries (id) {
        id -> Uid,
        webhook_id -> Uid,
        event_id -> Nullable<BigInt>,
        ticket_id -> Nullable<Uid>,
        topic -> Text,
        state -> Text,
        attempts -> Integer,
        next_at -> Nullable<BigInt>,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    webhook_attempts (delivery_id, number) {
        delivery_id -> Uid,
        number -> Integer,
        at -> BigInt,
        duration_ms -> Integer,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
        answer -> Nullable<Text>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    imports (id) {
        id -> Uid,
        kind -> Text,
        format -> Text,
        dry_run -> Bool,
        create_missing -> Bool,
        state -> Text,
        actor -> Text,
        actor_id -> Nullable<Uid>,
        body -> Nullable<Text>,
        total -> Integer,
        done -> Integer,
        created -> Integer,
        changed -> Integer,
        unchanged -> Integer,
        refused -> Integer,
        error -> Nullable<Text>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    import_errors (import_id, line, number) {
        import_id -> Uid,
        line -> Integer,
        number -> Integer,
        external_id -> Nullable<Text>,
        field -> Text,
        code -> Text,
        message -> Text,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    import_keys (kind, external_id) {
        kind -> Text,
        external_id -> Text,
        object_id -> Uid,
        print -> Binary,
        history_count -> Integer,
        history_print -> Binary,
        last_event_id -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    calls (id) {
        id -> Uid,
        external_id -> Text,
        direction -> Text,
        state -> Text,
        outcome -> Nullable<Text>,
        is_promised -> Nullable<Bool>,
        from_number -> Nullable<Text>,
        to_number -> Nullable<Text>,
        queue -> Nullable<Text>,
        team_id -> Nullable<Uid>,
        agent_id -> Nullable<Uid>,
        contact_id -> Nullable<Uid>,
        ticket_id -> Nullable<Uid>,
        rang_ticket_id -> Nullable<Uid>,
        pickup_clock_id -> Nullable<Uid>,
        callback_clock_id -> Nullable<Uid>,
        at -> BigInt,
        rang_at -> Nullable<BigInt>,
        answered_at -> Nullable<BigInt>,
        voicemail_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        wait_seconds -> Nullable<BigInt>,
        talk_seconds -> Nullable<BigInt>,
        recording_url -> Nullable<Text>,
        transcript -> Nullable<Text>,
        doubts -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    call_events (id) {
        id -> BigInt,
        call_id -> Uid,
        digest -> Binary,
        kind -> Text,
        direction -> Text,
        occurred_at -> BigInt,
        received_at -> BigInt,
        token_id -> Nullable<Uid>,
        from_text -> Nullable<Text>,
        to_text -> Nullable<Text>,
        agent_text -> Nullable<Text>,
        agent_id -> Nullable<Uid>,
        queue -> Nullable<Text>,
        recording_url -> Nullable<Text>,
        transcript -> Nullable<Text>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    agent_phones (agent_id) {
        agent_id -> Uid,
        number -> Text,
        updated_at -> BigInt,
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
    mailboxes (id) {
        id -> Uid,
        address -> Text,
        team_id -> Nullable<Uid>,
        from_name -> Text,
        kind -> Text,
        imap -> Nullable<JsonDoc>,
        is_active -> Bool,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
        smtp -> Nullable<JsonDoc>,
        dkim -> Nullable<JsonDoc>,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    mailbox_watches (mailbox_id) {
        mailbox_id -> Uid,
        lease_by -> Nullable<Uid>,
        lease_until -> Nullable<BigInt>,
        uid_validity -> Nullable<BigInt>,
        last_uid -> Nullable<BigInt>,
        looked_at -> Nullable<BigInt>,
        failing_since -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    inbound_mails (id) {
        id -> Uid,
        mailbox_id -> Uid,
        envelope_from -> Nullable<Text>,
        envelope_to -> Text,
        received_at -> BigInt,
        sha256 -> Binary,
        size_bytes -> BigInt,
        state -> Text,
        reason -> Nullable<Text>,
        attempts -> Integer,
        error -> Nullable<Text>,
        subject -> Nullable<Text>,
        sender -> Nullable<Text>,
        mail_message_id -> Nullable<Text>,
        ticket_id -> Nullable<Uid>,
        message_id -> Nullable<Uid>,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        version -> Integer,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    inbound_raws (mail_id) {
        mail_id -> Uid,
        bytes -> Binary,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    ticket_participants (ticket_id, address) {
        ticket_id -> Uid,
        address -> Text,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    organization_domains (domain) {
        domain -> Text,
        organization_id -> Uid,
        created_at -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    inbound_keys (id) {
        id -> Integer,
        secret -> Binary,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_waves (id) {
        id -> Uid,
        name -> Text,
        quarter -> Text,
        from_on -> Text,
        to_on -> Text,
        cap_per_organization -> Nullable<Integer>,
        active_days -> Nullable<Integer>,
        sample_size -> Nullable<Integer>,
        state -> Text,
        started_at -> Nullable<BigInt>,
        frozen_at -> Nullable<BigInt>,
        stopped_at -> Nullable<BigInt>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_wave_contacts (wave_id, contact_id) {
        wave_id -> Uid,
        contact_id -> Uid,
        organization_id -> Nullable<Uid>,
        standing -> Text,
        send_on -> Nullable<Text>,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    contact_erasures (contact_id) {
        contact_id -> Uid,
        erased_at -> BigInt,
        erased_by -> Uid,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    erased_files (attachment_id) {
        attachment_id -> Uid,
        contact_id -> Uid,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    erased_words (contact_id, word) {
        contact_id -> Uid,
        word -> Text,
    }
}
table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    presence (agent_id) {
        agent_id -> Uid,
        state -> Text,
        reason -> Nullable<Text>,
        chats_max -> Integer,
        changed_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    presence_nodes (id) {
        id -> Uid,
        lease_until -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    presence_lines (node_id, agent_id) {
        node_id -> Uid,
        agent_id -> Uid,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    staffing_alarms (id) {
        id -> Uid,
        team_id -> Nullable<Uid>,
        raised_at -> BigInt,
        told_at -> BigInt,
        times -> Integer,
        acknowledged_at -> Nullable<BigInt>,
        acknowledged_by -> Nullable<Uid>,
        ended_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    chat_typing (chat_id, side) {
        chat_id -> Uid,
        side -> Text,
        at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    chat_visitors (id) {
        id -> Uid,
        contact_id -> Nullable<Uid>,
        blocked_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    chats (id) {
        id -> Uid,
        visitor_id -> Uid,
        origin -> Text,
        is_verified -> Bool,
        state -> Text,
        team_id -> Nullable<Uid>,
        contact_id -> Uid,
        ticket_id -> Uid,
        pickup_clock_id -> Nullable<Uid>,
        agent_id -> Nullable<Uid>,
        last_seq -> Integer,
        round -> Integer,
        asked_at -> BigInt,
        accepted_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        ended_by -> Nullable<Text>,
        line -> Nullable<Uid>,
        gone_at -> Nullable<BigInt>,
        active_at -> BigInt,
        next_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    chat_offers (id) {
        id -> Uid,
        chat_id -> Uid,
        agent_id -> Uid,
        round -> Integer,
        offered_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;
    chat_messages (chat_id, seq) {
        chat_id -> Uid,
        seq -> Integer,
        side -> Text,
        client_id -> Uid,
        message_id -> Uid,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;

    presence_spells (agent_id, began_at) {
        agent_id -> Uid,
        began_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

table! {
    use crate::db::types::{JsonDoc, Uid};
    use diesel::sql_types::*;

    shifts (id) {
        id -> Uid,
        agent_id -> Uid,
        team_id -> Nullable<Uid>,
        from_on -> Text,
        to_on -> Nullable<Text>,
        weekly -> JsonDoc,
        note -> Nullable<Text>,
        version -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    use crate::db::types::Uid;
    use diesel::sql_types::*;
    survey_mail_answers (id) {
        id -> Uid,
        invitation_id -> Uid,
        mail_id -> Uid,
        message_id -> Nullable<Uid>,
        sender -> Text,
        body -> Text,
        score -> Nullable<Integer>,
        state -> Text,
        received_at -> BigInt,
        due_at -> Nullable<BigInt>,
        decided_at -> Nullable<BigInt>,
        decided_by -> Nullable<Uid>,
        response_id -> Nullable<Uid>,
        created_at -> BigInt,
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
    ticket_links,
    ticket_merges,
    ticket_tags,
    messages,
    clocks,
    events,
    jobs,
    mails,
    survey_invitations,
    survey_responses,
    survey_revisions,
    survey_reviews,
    survey_causes,
    survey_suppressions,
    survey_reminders,
    survey_followups,
    survey_attempts,
    survey_mail_answers,
    digests,
    digest_letters,
    clock_moves,
    alerts,
    alert_letters,
    webhooks,
    webhook_cursor,
    webhook_deliveries,
    webhook_attempts,
    imports,
    import_errors,
    import_keys,
    calls,
    call_events,
    agent_phones,
    attachments,
    canned_replies,
    saved_views,
    fields,
    ticket_fields,
    mailboxes,
    mailbox_watches,
    inbound_mails,
    inbound_raws,
    ticket_participants,
    organization_domains,
    survey_waves,
    survey_wave_contacts,
    contact_erasures,
    erased_files,
    erased_words,
    presence,
    presence_nodes,
    presence_lines,
    staffing_alarms,
    chat_typing,
    presence_spells,
    shifts,
    chat_visitors,
    chats,
    chat_offers,
    chat_messages,
);
