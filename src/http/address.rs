//! Whose address a request comes from, also behind proxies, and which addresses count as one client. Pure.
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// An IPv6 client can take any address of its network of so many bits: all of them are one.
const CLIENT_BITS_V6: u32 = 64;

/// An address or a network, such as `127.0.0.1` or `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u32,
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first `bits` of an address, and zeros.
fn first_bits(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0)).into()),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0)).into()),
    }
}

impl FromStr for Network {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let bits = bits.map_or(Ok(width(address)), |bits| bits.parse().map_err(|_| ()))?;
        if bits > width(address) { Err(()) } else { Ok(Self { first: first_bits(address, bits), bits }) }
    }
}

impl Network {
    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        width(address) == width(self.first) && first_bits(address, self.bits) == self.first
    }
}

/// The address that a request really comes from: what the last proxy that we trust says it heard from (the end of
/// `X-Forwarded-For` that nobody outside can write). Without a trusted proxy it is the connection's.
pub fn client(peer: IpAddr, forwarded_for: &str, proxies: &[Network]) -> IpAddr {
    let is_ours = |address: IpAddr| proxies.iter().any(|network| network.contains(address.to_canonical()));
    let mut known = peer.to_canonical();
    for said in forwarded_for.rsplit(',') {
        if !is_ours(known) {
            break;
        }
        let Ok(before) = said.trim().parse::<IpAddr>() else { break };
        known = before.to_canonical();
    }
    known
}

/// What counts as one client.
pub fn as_one(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => first_bits(IpAddr::V6(address), CLIENT_BITS_V6),
        address => address,
    }
}

/// Where a connection has no address.
pub const NOBODY: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_read_and_contain_their_addresses() {
        for (network, address, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8", "10.200.3.4", true),
            ("10.9.9.9/8", "10.200.3.4", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("::/0", "2001:db8::1", true),
        ] {
            assert_eq!(network.parse::<Network>().unwrap().contains(ip(address)), expected, "{address} in {network}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "here", "10.0.0.1/", "10.0.0.1/-1"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[track_caller]
    fn check(peer: &str, forwarded_for: &str, proxies: &[&str], expected: &str) {
        let proxies: Vec<Network> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(client(ip(peer), forwarded_for, &proxies), ip(expected), "{peer}, {forwarded_for:?}");
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_is_believed() {
        check("203.0.113.9", "", &[], "203.0.113.9");
        check("203.0.113.9", "198.51.100.1", &[], "203.0.113.9");
        check("203.0.113.9", "198.51.100.1", &["10.0.0.0/8"], "203.0.113.9");
        check("10.0.0.1", "198.51.100.1", &["10.0.0.0/8"], "198.51.100.1");
        check("10.0.0.1", "1.1.1.1, 198.51.100.1", &["10.0.0.0/8"], "198.51.100.1");
        check("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.7", &["10.0.0.0/8"], "198.51.100.1");
        check("10.0.0.1", "", &["10.0.0.0/8"], "10.0.0.1");
        check("10.0.0.1", "nonsense", &["10.0.0.0/8"], "10.0.0.1");
        check("::ffff:10.0.0.1", "2001:db8::5", &["10.0.0.0/8"], "2001:db8::5");
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_client() {
        assert_eq!(as_one(ip("2001:db8:1:2:3:4:5:6")), as_one(ip("2001:db8:1:2::1")));
        assert_ne!(as_one(ip("2001:db8:1:2::1")), as_one(ip("2001:db8:1:3::1")));
        assert_eq!(as_one(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert_ne!(as_one(ip("192.0.2.1")), as_one(ip("192.0.2.2")));
    }
}
