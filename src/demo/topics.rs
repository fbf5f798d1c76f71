//! What resellers of domains and hosting write about. Pure.
//!
//! In the texts `{domain}` is a customer's domain and `{code}` a number of theirs.
use super::people::{COMPLIANCE, PAYMENTS, RESELLER_SUPPORT, SERVICE_BUREAU, TeamIx};

/// One thing that happens: the subject, what the contact writes or says, and what solves it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Case {
    pub(super) subject: &'static str,
    pub(super) request: &'static str,
    pub(super) answer: &'static str,
}

const fn case(subject: &'static str, request: &'static str, answer: &'static str) -> Case {
    Case { subject, request, answer }
}

/// A kind of request.
#[derive(Debug, PartialEq)]
pub(super) struct Topic {
    /// What contacts call it in comments.
    pub(super) name: &'static str,
    /// How often it comes, beside others.
    pub(super) weight: u32,
    /// The department that knows it.
    pub(super) team: TeamIx,
    pub(super) tags: &'static [&'static str],
    pub(super) cases: &'static [Case],
    /// What an agent asks first.
    pub(super) question: &'static str,
    /// What the contact says to that.
    pub(super) reply: &'static str,
    /// What an agent notes for colleagues.
    pub(super) note: &'static str,
}

/// All kinds of requests.
pub(super) static TOPICS: &[Topic] = &[
    Topic {
        name: "transfer",
        weight: 16,
        team: RESELLER_SUPPORT,
        tags: &["transfer"],
        cases: &[
            case(
                "Transfer of {domain} is stuck",
                "We started the transfer of {domain} six days ago and it still shows \"pending owner approval\". The owner says that no mail ever came. Can you see where it hangs?",
                "The approval mail went to the old owner address. I corrected the contact and sent it again; the transfer of {domain} was approved a few minutes later and completes by itself within five days.",
            ),
            case(
                "Auth code rejected for {domain}",
                "The registry answers \"2202 invalid authorization information\" for {domain}. We copied the code straight from the losing registrar. What are we missing?",
                "The code you used was issued before the last unlock, so the registry no longer takes it. I asked the losing registrar for a fresh one and resubmitted: {domain} is now with you.",
            ),
            case(
                "Domain transfer in: {domain}",
                "Please push the transfer of {domain}. Our customer's old provider shuts down at the end of the week.",
                "The losing registrar approved {domain} by hand at our request. The transfer is complete, and the nameservers stayed as they were.",
            ),
        ],
        question: "Could you please confirm that the domain is unlocked at the losing registrar, and send me the newest auth code for {domain}?",
        reply: "It is unlocked now. The new code is TR-{code}.",
        note: "Losing registrar answers transfers in batches, next one in the evening. Lock was removed today.",
    },
    Topic {
        name: "DNS change",
        weight: 13,
        team: RESELLER_SUPPORT,
        tags: &["dns"],
        cases: &[
            case(
                "{domain} resolves for some only",
                "Since this morning {domain} resolves for some of our customers and not for others. We changed the nameservers yesterday afternoon. Is something wrong with the delegation?",
                "The parent zone still listed one of the old nameservers. I corrected the delegation, and all our probes see the new records. Caches will follow within the old TTL of one hour.",
            ),
            case(
                "TXT record for {domain} refused",
                "We need a new DKIM key for {domain} and 14 other zones. The control panel refuses TXT records longer than 255 characters.",
                "I entered the key for {domain} as two strings, which is what the panel should do by itself; the other zones are done too. The panel learns it with the next release.",
            ),
            case(
                "DNSSEC failure on {domain}",
                "{domain} fails validation: the DS record in the registry does not fit the key that you publish.",
                "I removed the stale DS record and signed the zone again. {domain} validates from all three resolvers I tried.",
            ),
        ],
        question: "Which resolver do your customers use, and could you send the output of dig +trace {domain} from one of them?",
        reply: "Here it is: the trace ends at the old nameserver. Most of them use their provider's resolver.",
        note: "Parent has three NS, the zone has two. Glue of ns3 is stale.",
    },
    Topic {
        name: "certificate",
        weight: 9,
        team: RESELLER_SUPPORT,
        tags: &["ssl"],
        cases: &[
            case(
                "SSL certificate for {domain} not issued",
                "Order {code} for {domain} has been \"awaiting validation\" since yesterday although the CNAME is in place.",
                "The validation record had the domain name in it twice. I corrected it, and the certificate for {domain} was issued at once. You find it in the control panel under order {code}.",
            ),
            case(
                "Certificate of {domain} expires tomorrow",
                "The certificate of {domain} runs out tomorrow and the renewal button only shows an error. The shop behind it takes orders all day.",
                "A CAA record allowed another authority only. I added ours, started validation again, and {domain} has its new certificate.",
            ),
        ],
        question: "Would it be all right for you if we validate {domain} by mail instead? If so, which of the five standard addresses can you read?",
        reply: "Yes, hostmaster@ works for us.",
        note: "CAA record blocks issuance, see order {code}.",
    },
    Topic {
        name: "invoice",
        weight: 9,
        team: PAYMENTS,
        tags: &["invoice", "billing"],
        cases: &[
            case(
                "Invoice {code}: wrong VAT number",
                "Invoice {code} shows our old VAT number. Our accountant needs a corrected one before the end of the month.",
                "You are right, and I am sorry for the trouble. I corrected your account and issued invoice {code}-B; the old one is cancelled.",
            ),
            case(
                "Charged twice for {domain}",
                "We were charged twice for the renewal of {domain}: once by card and once from the prepaid balance.",
                "The second charge was our mistake. I put the amount back on your balance, and the next statement shows it.",
            ),
            case(
                "Question about invoice {code}",
                "On invoice {code} the renewal of {domain} is listed at a price that we do not know. Could you check?",
                "The registry raised its price on the first of the month, and our notice went to a former colleague of yours. I credited the difference for {domain} this once and corrected the address for notices.",
            ),
        ],
        question: "Could you confirm which of the addresses in your account should get the corrected invoice?",
        reply: "The one of our accountant, please, with a copy to me.",
        note: "Checked with the ledger, the contact is right. Credit note approved.",
    },
    Topic {
        name: "payment",
        weight: 6,
        team: PAYMENTS,
        tags: &["payment", "billing"],
        cases: &[
            case(
                "Wire transfer not credited",
                "We wired the amount four days ago with reference {code} and our balance is still low. Renewals will fail tonight.",
                "The payment arrived without its reference. I found it by the amount and credited your account just now.",
            ),
            case(
                "Card declined when adding funds",
                "Adding funds by card fails with \"declined by issuer\" but our bank sees no attempt at all.",
                "Our payment partner had blocked cards of your bank after a series of fraud attempts elsewhere. Yours is cleared; the attempt I made with you went through.",
            ),
            case(
                "Refund for {domain}",
                "Please refund the registration of {domain}: the customer cancelled within the grace period.",
                "The refund for {domain} is done: the registry confirmed the deletion within the grace period, and the amount is on your balance.",
            ),
        ],
        question: "Could you send the bank's confirmation, with the reference that was used?",
        reply: "Attached. The bank shortened our reference, I see.",
        note: "Found in the suspense account, amount fits.",
    },
    Topic {
        name: "WHOIS privacy request",
        weight: 6,
        team: COMPLIANCE,
        tags: &["whois", "privacy"],
        cases: &[
            case(
                "Registrant data of {domain} is public",
                "Although privacy is switched on, the owner's name shows in the WHOIS output of {domain}. They are upset, for good reasons.",
                "The registry had kept an old contact object. It is replaced now, and the public output of {domain} shows the privacy service only.",
            ),
            case(
                "Owner change for {domain}",
                "We need to change the registrant of {domain} after a company merger. Which documents do you want?",
                "Thank you for the documents. The new registrant of {domain} is in place; both sides were told by mail, as the rules ask.",
            ),
        ],
        question: "Could you please send the extract from the commercial register and a signed order from the owner?",
        reply: "Both are attached.",
        note: "Documents checked against the register, names fit.",
    },
    Topic {
        name: "registrant verification",
        weight: 5,
        team: COMPLIANCE,
        tags: &["verification", "suspension"],
        cases: &[
            case(
                "{domain} suspended: verification",
                "{domain} went offline today. The panel says that the registrant was not verified, but the customer never saw a mail.",
                "The verification is complete and the hold is off. {domain} is in the zone again with the next update, within some minutes.",
            ),
            case(
                "Verification link for {domain}",
                "Our customer clicked the verification link of {domain} twice, and the domain still has clientHold.",
                "The link had run out. I sent a fresh one, the registrant confirmed, and {domain} resolves again.",
            ),
        ],
        question: "The address on file bounces. Which address should the verification of {domain} go to?",
        reply: "Please use the owner's private address, we updated it in the panel.",
        note: "Bounce of the verification mail is in the log, the address had a typo.",
    },
    Topic {
        name: "abuse report",
        weight: 4,
        team: COMPLIANCE,
        tags: &["abuse", "suspension"],
        cases: &[
            case(
                "{domain} suspended after an abuse report",
                "{domain} was suspended for phishing. The site was hacked; we cleaned it and changed all passwords. Please lift the suspension.",
                "I checked {domain} again: the page is gone and the software is up to date. The suspension is lifted.",
            ),
            case(
                "Abuse case {code}",
                "We got your abuse notice {code} about {domain}. What exactly was found, and until when do we have to answer?",
                "The report and its evidence are attached. As you removed the page the same day, case {code} is closed on our side.",
            ),
        ],
        question: "Could you tell us how the page got there, and what was done so that it does not come back?",
        reply: "An old plugin. It is removed, and we scan the account every night now.",
        note: "Scan is clean, reporter confirmed by mail.",
    },
    Topic {
        name: "registry lock",
        weight: 4,
        team: SERVICE_BUREAU,
        tags: &["registry-lock", "security"],
        cases: &[
            case(
                "Registry lock for {domain}",
                "Please set a registry lock on {domain} and tell us what it costs a year.",
                "The lock is active: the registry lists serverUpdateProhibited, serverDeleteProhibited and serverTransferProhibited for {domain}. The price list is attached.",
            ),
            case(
                "Unlock {domain} for a nameserver change",
                "We need {domain} unlocked for a change of nameservers. Two people are named for the call back.",
                "Both named people confirmed by phone. {domain} was unlocked, changed and locked again within twelve minutes.",
            ),
        ],
        question: "Who are the two people we may call back for {domain}, and under which numbers?",
        reply: "Our technical director and I, under the numbers in the account.",
        note: "Call back done with both, passphrases right.",
    },
    Topic {
        name: "bulk order",
        weight: 5,
        team: SERVICE_BUREAU,
        tags: &["bulk"],
        cases: &[
            case(
                "Bulk transfer, order {code}",
                "We took over a smaller reseller and need their domains moved into our account. The list is order {code}. Can this be done over night?",
                "All done: every domain on the list was moved, and the report with each result is attached. Two of them were in redemption and are marked.",
            ),
            case(
                "Bulk update of contacts, order {code}",
                "Please replace the admin contact on all domains of order {code}. Our script hits the rate limit.",
                "The update ran without errors. The report is attached; nothing is left for you to do.",
            ),
        ],
        question: "The list has a few domains that are not in the named account. Shall we leave them out?",
        reply: "Yes, please leave those out, they were sold.",
        note: "Script prepared, dry run fine.",
    },
    Topic {
        name: "renewal",
        weight: 9,
        team: RESELLER_SUPPORT,
        tags: &["renewal"],
        cases: &[
            case(
                "{domain} was not renewed",
                "Auto-renew was on for {domain} and it expired all the same. The customer's mail is down. Please help quickly!",
                "The balance was empty when the renewal ran, so it was skipped. I renewed {domain} by hand, and it resolves again.",
            ),
            case(
                "Renewal of {domain} fails",
                "Renewing {domain} fails with \"object status prohibits operation\".",
                "A leftover transfer lock stopped the renewal. It is removed, and {domain} is paid for another year.",
            ),
            case(
                "{domain} is in redemption",
                "{domain} is in redemption. What does the restore cost and how long does it take?",
                "The restore of {domain} is ordered at the usual fee. The registry works on it within the hour, and the zone follows at once.",
            ),
        ],
        question: "Before I go on with {domain}: shall it be renewed for one year, or for longer while we are at it?",
        reply: "One year is fine, please go ahead.",
        note: "Notices were sent 30, 15 and 5 days before.",
    },
    Topic {
        name: "API problem",
        weight: 7,
        team: RESELLER_SUPPORT,
        tags: &["api"],
        cases: &[
            case(
                "API error 2400 on domain:create",
                "Since the maintenance about one in twenty domain:create calls ends with error 2400. A retry then says that the domain exists. Request id {code}.",
                "One of the nodes still ran the old release; it was taken out and updated. Calls like {code} go through again.",
            ),
            case(
                "API: signature does not match",
                "Our integration gets \"signature does not match\" after we changed the key. The test system takes the same code.",
                "The key was created for the test system only. I issued one for production; the rest of your set-up is right.",
            ),
        ],
        question: "Could you send two request ids with their times, one that worked and one that failed?",
        reply: "Failed: {code}, about ten minutes ago. The one right after it worked.",
        note: "Seen in the gateway's log, only on node 4.",
    },
    Topic {
        name: "mail problem",
        weight: 7,
        team: RESELLER_SUPPORT,
        tags: &["email", "hosting"],
        cases: &[
            case(
                "Mail for {domain} is rejected",
                "Messages to {domain} come back with \"550 relay not permitted\" since last night.",
                "The domain had been dropped from the relay's list during the move. It is back, and the queued messages were delivered.",
            ),
            case(
                "SPF and DKIM for {domain}",
                "Mails from {domain} land in the spam folder. We set SPF as your guide says. What about DKIM?",
                "I switched DKIM on for {domain} and published the key. A test message passed SPF, DKIM and DMARC.",
            ),
        ],
        question: "Could you forward one of the messages with its full headers?",
        reply: "Here is one from this morning, headers below.",
        note: "Relay table misses the domain since migration batch 12.",
    },
    Topic {
        name: "control panel question",
        weight: 7,
        team: RESELLER_SUPPORT,
        tags: &["control-panel"],
        cases: &[
            case(
                "Two-factor reset for our account",
                "I have a new phone and the codes are gone. The backup codes were in the drawer of a colleague who left.",
                "After the call back I reset the second factor. At your next login you are asked to set up a new one.",
            ),
            case(
                "Sub-account without access",
                "Our new colleague sees the account but no domains. Which permission is it?",
                "The role needs \"view domains\" besides \"view account\". I added it, and your colleague sees the list now.",
            ),
        ],
        question: "For your protection: which number from your account may we call you back on?",
        reply: "The office number, please ask for me.",
        note: "Identity confirmed by call back.",
    },
    Topic {
        name: "premium domain order",
        weight: 3,
        team: SERVICE_BUREAU,
        tags: &["premium"],
        cases: &[
            case(
                "Broker offer for {domain}",
                "A customer would like to have {domain}. The panel shows no price. Can you get an offer?",
                "The seller accepts the offer for {domain}. It is valid for ten days; renewals are at the usual price.",
            ),
            case(
                "Renewal price of {domain}",
                "Is the renewal of {domain} at premium price too, or at the usual one?",
                "The registry lists {domain} as premium for creation and renewal alike. The offer with both prices is attached.",
            ),
        ],
        question: "Up to which amount may we go?",
        reply: "Up to 2,500, everything included.",
        note: "Seller's agent answers within two days as a rule.",
    },
    Topic {
        name: "hosting problem",
        weight: 6,
        team: RESELLER_SUPPORT,
        tags: &["hosting"],
        cases: &[
            case(
                "{domain} is very slow",
                "{domain} takes more than ten seconds to load since noon. Nothing was changed on our side.",
                "A neighbour on the same server used far more than its share. It was moved, and {domain} answers in 0.4 seconds again.",
            ),
            case(
                "Restore of a backup for {domain}",
                "Please restore the database of {domain} from last night. A colleague deleted the wrong table.",
                "The database is back as of 03:00. I kept the broken one under another name, so that nothing is lost.",
            ),
        ],
        question: "May we take the site offline for five minutes to look into it?",
        reply: "Yes, now is as good as any time.",
        note: "Load of web17 watched for an hour, one account stands out.",
    },
];
