DROP TABLE alert_letters;
DROP TABLE alerts;
DROP INDEX clocks_paused;
DROP TABLE clock_moves;
