//! Whose network asks: what every limit is counted by.
//!
//! Whoever has an IPv6 line has a /64 at least, and with it more addresses than anybody can count: the whole /64 is one
//! household. A /48 is what a site gets, or a lot of a carrier's subscribers. An IPv4 address is a household, or a carrier
//! with thousands of telephones behind it, and nothing in it says which.

use std::net::{IpAddr, Ipv6Addr};

/// The networks around an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    near: String,
    wide: String,
}

impl Network {
    /// The networks of an address in text. What is none stands for itself.
    pub fn of(address: &str) -> Self {
        let one = |text: String| Self { near: text.clone(), wide: text };
        match address.parse().map(|address: IpAddr| address.to_canonical()) {
            Ok(IpAddr::V4(address)) => one(address.to_string()),
            Ok(IpAddr::V6(address)) => Self { near: begin(address, 4), wide: begin(address, 3) },
            Err(_) => one(address.to_owned()),
        }
    }

    /// The network of one household: an IPv6 /64, or the IPv4 address.
    pub fn near(&self) -> &str {
        &self.near
    }

    /// What it may belong to with many others: an IPv6 /48, or the IPv4 address.
    pub fn wide(&self) -> &str {
        &self.wide
    }

    /// True when household and wide network can be told apart: for IPv6.
    pub fn is_household(&self) -> bool {
        self.near != self.wide
    }
}

fn begin(address: Ipv6Addr, groups: usize) -> String {
    let mut kept = [0; 8];
    kept[..groups].copy_from_slice(&address.segments()[..groups]);
    format!("{}/{}", Ipv6Addr::from(kept), groups * 16)
}

/// The address in the header of a proxy, without the port that CloudFront appends: `198.51.100.1:4711`,
/// `[2001:db8::1]:4711` or `2001:db8::1:4711`.
pub fn without_port(value: &str) -> &str {
    let bare = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    match value.rsplit_once(':') {
        // Cut at the last colon first: with a port behind it an IPv6 address may still read as one.
        Some((address, _port)) if bare(address) || !bare(value) => address.trim_matches(['[', ']']),
        _ => value.trim_matches(['[', ']']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_a_household_are_one_network() {
        for (address, near, wide) in [
            ("2001:db8:1:1::9", "2001:db8:1:1::/64", "2001:db8:1::/48"),
            ("2001:db8:1:1:ffff:ffff:ffff:ffff", "2001:db8:1:1::/64", "2001:db8:1::/48"),
            ("2001:DB8:1:2::9", "2001:db8:1:2::/64", "2001:db8:1::/48"),
            ("2001:db8:2:1::9", "2001:db8:2:1::/64", "2001:db8:2::/48"),
            ("198.51.100.7", "198.51.100.7", "198.51.100.7"),
            // An IPv4 client seen through an IPv6 socket.
            ("::ffff:198.51.100.7", "198.51.100.7", "198.51.100.7"),
            ("", "", ""),
            ("unknown", "unknown", "unknown"),
        ] {
            let network = Network::of(address);
            assert_eq!((network.near(), network.wide()), (near, wide), "{address}");
            assert_eq!(network.is_household(), near.ends_with("/64"), "{address}");
        }
    }

    #[test]
    fn a_port_is_no_part_of_an_address() {
        for (value, address) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("198.51.100.7", "198.51.100.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1:4711", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1:4711", "2001:db8:0:0:0:0:0:1"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8:0:0:0:0:0:1"),
            ("2001:db8:1:1::", "2001:db8:1:1::"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("", ""),
        ] {
            assert_eq!(without_port(value), address, "{value}");
        }
    }
}
