//! Which addresses the press may ask. A feed, a page or a redirect must not make it call into its own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Why an address is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// Not one of the web.
    #[error("{0:?} is no address of the web. Give one that begins with http:// or https://")]
    NotWeb(String),
    /// It holds a user's name or password, which would stand in the list of outlets for everyone to see.
    #[error("the address holds a user name or a password, which the press does not send")]
    Credentials,
    /// It leads into the press's own network.
    #[error(
        "{0} is on this computer or in a private network, where nothing is fetched from. If that is meant, set \
         `private_addresses = true` in the press's configuration"
    )]
    Private(String),
}

/// Parses an address and says whether the press may ask it. Names are looked at again once they are resolved ([`Public`]).
pub(super) fn check(address: &str, private: bool) -> Result<Url, AddressRefused> {
    let url = Url::parse(address.trim())
        .map_err(|_| AddressRefused::NotWeb(address.chars().take(200).collect()))?;
    check_url(&url, private)?;
    Ok(url)
}

/// The same for an address that is parsed already, such as where a redirect leads.
pub(super) fn check_url(url: &Url, private: bool) -> Result<(), AddressRefused> {
    let not_web = || AddressRefused::NotWeb(url.as_str().chars().take(200).collect());
    if !matches!(url.scheme(), "http" | "https") {
        return Err(not_web());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressRefused::Credentials);
    }
    let host = url.host().ok_or_else(not_web)?;
    // Addresses that are numbers never come to the resolver.
    let inside = match host {
        Host::Ipv4(ip) => !is_public(ip.into()),
        Host::Ipv6(ip) => !is_public(ip.into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    };
    if inside && !private {
        return Err(AddressRefused::Private(host.to_string()));
    }
    Ok(())
}

/// Resolves names to public addresses alone: whoever owns a name can let it lead anywhere, and elsewhere a moment later.
pub(super) struct Public;

/// All that a name leads to is inside.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to this computer or into a private network")]
pub(super) struct LeadsInside;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is put in by whoever connects.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|at| is_public(at.ip())).collect();
            if public.is_empty() {
                return Err(LeadsInside.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet: RFC 6890 and the registries of special addresses that follow it.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    // Ways to write an IPv4 address: it has to be a public one.
    let inner = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] => inner(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        [0x2002, high, low, ..] => inner(high, low),
        // All that is given out lies in 2000::/3; of it the documentation, Teredo and the like are left out.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_asked() {
        assert!(check("https://quay.example/feed", false).is_ok());
        assert!(check(" HTTP://quay.example ", false).is_ok());
        for bad in
            ["", "quay", "file:///etc/passwd", "ftp://quay.example/x", "javascript:1", "data:text/plain,x"]
        {
            assert!(matches!(check(bad, true), Err(AddressRefused::NotWeb(_))), "{bad}");
        }
        assert_eq!(check("https://ada:secret@quay.example/", true), Err(AddressRefused::Credentials));
    }

    #[test]
    fn nothing_inside_is_asked_unless_that_is_allowed() {
        for inside in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0/",
            "http://localhost:80/",
            "http://a.localhost/",
            "http://LOCALHOST./",
            "http://[::1]/",
            "http://[::]/",
            "http://10.0.0.1/",
            "http://172.16.3.4/",
            "http://192.168.0.1/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://192.0.0.8/",
            "http://198.18.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fc00::1]/",
            "http://[fe80::1]/",
            "http://[ff02::1]/",
            "http://[2001:db8::1]/",
            "http://[::127.0.0.1]/",
            "http://[2001::1]/",
        ] {
            assert!(matches!(check(inside, false), Err(AddressRefused::Private(_))), "{inside}");
            assert!(check(inside, true).is_ok(), "{inside}");
        }
        for public in [
            "http://9.9.9.9/",
            "http://[2620:fe::fe]/",
            "http://[::ffff:9.9.9.9]/",
            "http://[64:ff9b::909:909]/",
        ] {
            assert!(check(public, false).is_ok(), "{public}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        // Known to every machine without asking anybody.
        let found = Public.resolve("localhost".parse().unwrap()).await;
        assert!(found.err().is_some_and(|why| why.is::<LeadsInside>()));
    }
}
