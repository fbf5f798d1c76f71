"""What a JSON schema cannot say: the only reasons for which input that fits the description may be refused with 422."""

import schemathesis

REASONS = {
    # What other requests have said.
    "idempotency_key_reused",
    "unknown_cursor",
    # Whether a named thing is there.
    "unknown_agent",
    "unknown_calendar",
    "unknown_cause",
    "unknown_contact",
    "unknown_organization",
    "unknown_policy",
    "unknown_team",
    "unknown_ticket",
    "time_zone",
    "unknown_attachment",
    "unknown_custom_field",
    "unknown_tag",
    # What several fields, or a list, say together.
    "options",
    "no_message",
    "never_open",
    "one_of",
    "needs_q",
    "repeated",
    "overlap",
    "order",
    "outside_quarter",
    "no_weekday",
    "needs_agent",
    "beyond_role",
    # How it stands to today, or to another row.
    "past",
    "future",
    "before_the_answer",
    "no_attempt",
    "no_reason",
    "too_far",
    # What an address or a file says inside.
    "url",
    "empty",
    "malformed_csv",
    "repeated_column",
    "unknown_column",
    # What a pattern cannot say in every language of patterns.
    "nul_character",
    "date_time",
    "not_icalendar",
    "tag",
    "option",
    "unknown_variable",
    "unclosed_variable",
    "field_filter",
    "plus",
    "domain",
    "free_mail",
    "control_character",
    # Which settings a kind of mailbox has.
    "not_imap",
    "same_folder",
    "no_key",
    "not_aligned",
    "refused_type",
    "cause",
}


@schemathesis.check
def valid_input_is_refused_for_a_known_reason(ctx, response, case):
    meta = case.meta
    if response.status_code != 422 or meta is None or not meta.generation.mode.is_positive:
        return
    problem = response.json()
    found = {problem["code"]} | {error["code"] for error in problem.get("errors", [])}
    unknown = found - REASONS - {"invalid_input"}
    # How far from today something may be asked for, or a report may begin before its end, depends on the other.
    if all(error["field"] in ("at", "from", "to", "compare_from", "compare_to") for error in problem.get("errors", []) if error["code"] == "range"):
        unknown.discard("range")
    # The period to compare with has two ends, or none.
    if all(error["field"] in ("compare_from", "compare_to") for error in problem.get("errors", []) if error["code"] == "missing"):
        unknown.discard("missing")
    # A mailbox of the kind imap needs its settings, and a new one its password.
    if all(error["field"] in ("imap", "imap.password") for error in problem.get("errors", []) if error["code"] == "missing"):
        unknown.discard("missing")
    # How many groups a report would have depends on its period, and what a custom field takes on the field.
    for field, code in (("group_by", "range"), ("field", "date")):
        if all(error["field"] == field for error in problem.get("errors", []) if error["code"] == code):
            unknown.discard(code)
    # A JSON schema takes 100.0 for an integer.
    if all("floating point" in error["message"] for error in problem.get("errors", []) if error["code"] == "wrong_type"):
        unknown.discard("wrong_type")
    if unknown:
        raise AssertionError(f"refused what the description allows: {', '.join(sorted(unknown))}")
