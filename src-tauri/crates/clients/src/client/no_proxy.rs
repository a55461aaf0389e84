//! Which addresses a client asks without its proxy. A list somebody made is added to, never replaced.
//!
//! What the real Claude Code 2.1.197 was seen to do with `HTTP_PROXY` (or `https_proxy`: either catches plain http as well) and a
//! gateway on 127.0.0.1: `no_proxy` wins over `NO_PROXY` wherever the two stand; entries are parted by commas, blanks part nothing;
//! `*` is everything; `localhost` does not stand for 127.0.0.1, nor does 127.0.0.0/8. `ALL_PROXY` catches nothing.

/// The variables that name a proxy which catches requests to this machine.
pub const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
/// The variables that spare addresses, the one that wins first.
pub const LISTS: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// What is added to a list.
const OURS: [&str; 2] = ["127.0.0.1", "localhost"];

/// The list that holds. `lookup` gives what a variable is set to.
pub fn list_in_force(lookup: &dyn Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    LISTS.into_iter().find_map(|name| Some((name, lookup(name).filter(|list| !list.trim().is_empty())?)))
}

/// Whether that list spares the gateway.
pub fn spares(list: &str) -> bool {
    list.split(',').map(str::trim).any(|entry| entry == "*" || entry == OURS[0])
}

/// The proxy that would catch requests to this machine, if there is one and no list spares it.
pub fn catches(lookup: &dyn Fn(&str) -> Option<String>) -> Option<&'static str> {
    let proxy = PROXIES.into_iter().find(|name| lookup(name).is_some_and(|value| !value.trim().is_empty()))?;
    let spared = list_in_force(lookup).is_some_and(|(_, list)| spares(&list));
    (!spared).then_some(proxy)
}

/// The list with this machine in it, under the name that holds. `None`: it is in it, or there is neither a list nor a proxy.
pub fn extended(lookup: &dyn Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    match list_in_force(lookup) {
        Some((_, list)) if spares(&list) => None,
        Some((name, list)) => Some((name, added_to(&list))),
        None => catches(lookup).map(|_| ("NO_PROXY", OURS.join(","))),
    }
}

fn added_to(list: &str) -> String {
    let list = list.trim().trim_end_matches(',');
    let missing = OURS.into_iter().filter(|ours| !list.split(',').any(|entry| entry.trim() == *ours));
    std::iter::once(list).chain(missing).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{catches, extended};

    fn lookup<'v>(set: &'v [(&'v str, &'v str)]) -> impl Fn(&str) -> Option<String> + 'v {
        move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_list_is_added_to_under_the_name_that_holds() {
        for (set, wanted) in [
            (&[][..], None),
            (&[("HTTP_PROXY", "http://p")], Some(("NO_PROXY", "127.0.0.1,localhost"))),
            (&[("https_proxy", "http://p")], Some(("NO_PROXY", "127.0.0.1,localhost"))),
            (&[("ALL_PROXY", "http://p")], None),
            (&[("HTTP_PROXY", " ")], None),
            (&[("NO_PROXY", "corp.example")], Some(("NO_PROXY", "corp.example,127.0.0.1,localhost"))),
            (&[("NO_PROXY", "corp.example, localhost,")], Some(("NO_PROXY", "corp.example, localhost,127.0.0.1"))),
            (&[("NO_PROXY", "127.0.0.1"), ("no_proxy", "corp")], Some(("no_proxy", "corp,127.0.0.1,localhost"))),
            (&[("NO_PROXY", "corp,127.0.0.1"), ("no_proxy", "")], None),
            (&[("NO_PROXY", "*"), ("HTTP_PROXY", "http://p")], None),
            (&[("NO_PROXY", "127.0.0.0/8")], Some(("NO_PROXY", "127.0.0.0/8,127.0.0.1,localhost"))),
        ] {
            let wanted = wanted.map(|(name, list): (_, &str)| (name, list.to_owned()));
            assert_eq!(extended(&lookup(set)), wanted, "{set:?}");
        }
    }

    #[test]
    fn a_proxy_catches_what_no_list_spares() {
        assert_eq!(catches(&lookup(&[("https_proxy", "p")])), Some("https_proxy"));
        assert_eq!(catches(&lookup(&[("https_proxy", "p"), ("NO_PROXY", "127.0.0.1")])), None);
        assert_eq!(
            catches(&lookup(&[("HTTP_PROXY", "p"), ("NO_PROXY", "127.0.0.1"), ("no_proxy", "corp")])),
            Some("HTTP_PROXY")
        );
        assert_eq!(catches(&lookup(&[("ALL_PROXY", "p")])), None);
    }
}
