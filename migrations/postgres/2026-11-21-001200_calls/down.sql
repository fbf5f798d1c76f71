DROP TABLE agent_phones;
DROP TABLE call_events;
DROP TABLE calls;
