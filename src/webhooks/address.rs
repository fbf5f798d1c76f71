//! Where a webhook may lead: the public internet, and what the operator allows besides. Pure.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not the public internet (IANA's special-purpose registry, multicast and reserved ones).
const CLOSED_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// The only IPv6 addresses that are handed out for the internet; what is mapped, local or multicast lies outside.
const GLOBAL_V6: Network = Network { first: IpAddr::V6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0)), length: 3 };
/// Of those, what is for protocols, tunnels to IPv4, or documentation.
const CLOSED_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    length: u32,
}

impl Network {
    /// Reads `10.1.0.0/16` or `fd00::/8`; a single address stands for itself.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let first: IpAddr = address.trim().parse().ok()?;
        let whole = if first.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(whole), |length| length.trim().parse().ok())?;
        (length <= whole).then_some(Self { first, length })
    }

    /// Whether the address lies in it.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let shift = 32 - self.length;
                shift == 32 || first.to_bits() >> shift == address.to_bits() >> shift
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let shift = 128 - self.length;
                shift == 128 || first.to_bits() >> shift == address.to_bits() >> shift
            }
            _ => false,
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => {
            !CLOSED_V4.iter().any(|(first, length)| Network { first: IpAddr::V4(*first), length: *length }.holds(address))
        }
        IpAddr::V6(_) => {
            GLOBAL_V6.holds(address)
                && !CLOSED_V6.iter().any(|(first, length)| Network { first: IpAddr::V6(*first), length: *length }.holds(address))
        }
    }
}

/// Whether the desk may connect to the address.
pub fn may_connect(address: IpAddr, allowed: &[Network]) -> bool {
    is_public(address) || allowed.iter().any(|network| network.holds(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: bool) {
        assert_eq!(may_connect(address.parse().expect("an address"), &[]), expected, "{address}");
    }

    #[test]
    fn only_the_public_internet_is_open() {
        for address in ["8.8.8.8", "93.184.215.14", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            check(address, true);
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "fec0::1",
            "64:ff9b::7f00:1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "4000::1",
        ] {
            check(address, false);
        }
    }

    #[test]
    fn an_operator_can_allow_a_network() {
        let allowed = [Network::parse("127.0.0.0/8").expect("one"), Network::parse("fd00::/8").expect("one")];
        for (address, expected) in [("127.0.0.1", true), ("10.0.0.1", false), ("fd12::1", true), ("::1", false)] {
            assert_eq!(may_connect(address.parse().expect("an address"), &allowed), expected, "{address}");
        }
    }

    #[test]
    fn a_network_is_read_or_refused() {
        for text in ["10.0.0.0/8", "10.1.2.3", "::/0", "0.0.0.0/0", "fd00::/8"] {
            assert!(Network::parse(text).is_some(), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/x", "localhost/8", "10.0.0.0/-1"] {
            assert!(Network::parse(text).is_none(), "{text}");
        }
    }
}
