//! The sentences that fit every topic, what contacts answer to the survey, and the labels of their domains. Pure.

pub(super) const GREETINGS: &[&str] = &["Hello,", "Hi there,", "Dear support team,", "Good morning,", "Hi,"];
pub(super) const FAREWELLS: &[&str] = &["Thanks,", "Kind regards,", "Best,", "Many thanks in advance,", "Regards,"];
pub(super) const CHAT_OPENINGS: &[&str] = &["Hi!", "Hello, quick question:", "Hi, is anybody there?", "Good day."];
pub(super) const CHAT_GREETINGS: &[&str] = &[
    "Hi {contact}, {agent} here. Let me have a look at that.",
    "Hello {contact}, thanks for waiting. I'm opening your account now.",
    "Good day {contact}, {agent} speaking. I see it, one moment please.",
];
pub(super) const CHAT_MIDDLES: &[&str] =
    &["Ok, thanks.", "Sure, take your time.", "Yes, that is the one.", "I can wait, no problem."];
pub(super) const THANKS: &[&str] = &[
    "Works now. Thank you, {agent}!",
    "Perfect, that was it. Have a nice day.",
    "I can confirm that it is solved. Thanks.",
    "Great, thank you for the quick help.",
];
pub(super) const STILL_BROKEN: &[&str] = &[
    "Sorry, but it is back: the same thing happens again since an hour ago.",
    "I am afraid this is not solved. Our customer still sees the old state.",
    "Could you look at this once more? It worked for a while, and now it does not.",
];
pub(super) const SECOND_ANSWERS: &[&str] = &[
    "Thank you for coming back to us, and sorry for the second round. The cause was one step further down; it is corrected now, and I checked it from outside.",
    "You were right, one of our systems had kept the old state. I refreshed it and stayed with it until it was right everywhere.",
];
pub(super) const HOLD_NOTES: &[&str] = &[
    "Waiting for the registry, their ticket is {code}.",
    "Asked the losing registrar, reference {code}. They answer within three working days.",
    "With our operations team, change {code}.",
];
pub(super) const HOLD_ANSWERS: &[&str] = &[
    "Thank you for the details. I passed this on to the registry and will come back to you as soon as they answer; there is nothing for you to do.",
    "I need our partner's help for this one, reference {code}. You hear from me as soon as it moves.",
];
pub(super) const LATE_OPENINGS: &[&str] = &[
    "Please excuse the long wait: this should have been answered within a day.",
    "I am sorry that you had to wait so long for this answer.",
];
pub(super) const HAND_OVER_NOTES: &[&str] = &[
    "This is one for your department. Contact knows that you take over.",
    "Needs your rights to finish, everything else is prepared.",
];
pub(super) const VOICEMAILS: &[&str] =
    &["Voicemail, {seconds} seconds: \"{request}\"", "Message left after hours: \"{request}\""];
pub(super) const CALL_BACKS: &[&str] =
    &["Called back, reached {contact}.", "Called back twice, {contact} answered at the second try."];
pub(super) const CALL_NOTES: &[&str] = &["{contact} calls: {request}", "Call from {contact}. In short: {request}"];
pub(super) const SUMMARIES: &[&str] = &[
    "Thank you for your call. As promised, here is what we did:",
    "As discussed on the phone:",
    "It was good to talk to you. For your records:",
];
pub(super) const CHASERS: &[&str] = &[
    "We did not hear from you for some days, so I assume that all is well. Just answer this mail if it is not.",
    "As there was no answer, I close this request for now. A short mail opens it again.",
];

/// What people who would recommend us write.
pub(super) const PRAISE: &[(&str, &str)] = &[
    ("{agent} solved my {topic} within minutes. Great service!", "fast answer"),
    ("Very friendly and very competent, as always.", "friendly agent"),
    ("A real person who knows what a {topic} is. That is rare.", "knowledge"),
    ("Fast answer, clear words, problem gone.", "fast answer"),
    ("{agent} stayed with it until it worked. Thank you!", "ownership"),
    ("We moved all our domains to you because of support like this.", "friendly agent"),
    ("Quick and to the point. My customer was happy within the hour.", "fast answer"),
    ("I expected a long {topic} story and got a solution in one step.", "solved at once"),
    ("Excellent. {agent} even found a second mistake that I had not seen.", "knowledge"),
    ("Best support in the business.", "friendly agent"),
    ("Help came before I had found my account number.", "fast answer"),
];
/// What people who are content write.
pub(super) const SO_SO: &[(&str, &str)] = &[
    ("Good help, but I had to explain the {topic} twice.", "repeated explanation"),
    ("Solved in the end. A status page for this would have saved us the call.", "missing self-service"),
    ("Friendly. The {topic} itself should be easier in the panel, though.", "control panel"),
    ("All fine, only the first answer was a text block.", "generic answer"),
    ("OK. Took a little longer than I hoped.", "slow answer"),
    ("Good support, prices went up a bit much this year.", "price"),
    ("{agent} was helpful. The documentation was not.", "documentation"),
    ("Worked. Please allow this through the API.", "missing self-service"),
];
/// What people who are not content write.
pub(super) const BLAME: &[(&str, &str)] = &[
    ("The {topic} still is not really solved for us.", "not solved"),
    ("It took three attempts until somebody understood what I wanted.", "generic answer"),
    ("First answer was copied from the FAQ and had nothing to do with my {topic}.", "generic answer"),
    ("Your panel makes a simple {topic} far too hard. Support cannot fix that.", "control panel"),
    ("I was asked the same things again and again.", "repeated explanation"),
    ("Too expensive for what it is.", "price"),
    ("My customer lost a day of business. An apology does not help them.", "outage"),
    ("Polite, but no solution. We moved two domains elsewhere.", "not solved"),
    ("The same problem every month. Please fix the cause.", "recurring problem"),
];
/// What people write who waited too long.
pub(super) const WAITED: &[(&str, &str)] = &[
    ("You promise 24 hours and 20 seconds. I waited longer.", "slow answer"),
    ("Waited far too long for a simple {topic}.", "slow answer"),
    ("The answer was good, but it came too late for our customer.", "slow answer"),
    ("I nearly gave up waiting.", "slow answer"),
    ("No sign of life for far too long. Not what you advertise.", "slow answer"),
];
/// What reviewers note about praise, and about all else.
pub(super) const NOTES_ON_PRAISE: &[&str] = &["Read with the team.", "Passed on to {agent}.", "No action needed."];
pub(super) const NOTES_ON_BLAME: &[&str] = &[
    "Talked it through with {agent}.",
    "Called the contact, they were glad that somebody asked.",
    "Passed on to the product team.",
    "Apologised by mail.",
    "Known, it is on the list for the next release.",
];

/// Labels of customers' domains.
pub(super) const LABELS: &[&str] = &[
    "amber", "atlas", "bakery", "bay", "birch", "bridge", "bright", "cedar", "city", "clinic", "cloud", "coffee", "copper",
    "craft", "dental", "design", "field", "forest", "garden", "green", "grove", "harbor", "hill", "house", "iron", "ivory",
    "lake", "law", "lens", "linen", "market", "media", "mill", "moon", "north", "oak", "ocean", "olive", "optic", "paper",
    "pine", "pixel", "press", "print", "river", "roof", "rose", "shop", "silver", "sky", "smith", "solar", "south", "spark",
    "stone", "studio", "summit", "supply", "tailor", "tea", "timber", "toy", "travel", "valley", "velvet", "violet", "west",
    "willow", "wine", "yoga",
];
