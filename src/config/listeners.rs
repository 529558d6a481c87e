//! Listeners: the texts `NAME://host:port` of `listeners` and `advertised.listeners`, their
//! security protocols, and the addresses of controllers. Pure: nothing here is resolved or bound.

use std::collections::BTreeMap;

/// Where the broker listens, or what it tells clients to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Upper case.
    pub name: String,
    /// Without the brackets of an IPv6 address. Empty: all interfaces (never so in advertised
    /// listeners).
    pub host: String,
    pub port: u16,
    pub security_protocol: SecurityProtocol,
}

/// With the numbers of broker registrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum SecurityProtocol {
    Plaintext = 0,
    Ssl = 1,
    SaslPlaintext = 2,
    SaslSsl = 3,
}

impl SecurityProtocol {
    pub fn name(self) -> &'static str {
        match self {
            SecurityProtocol::Plaintext => "PLAINTEXT",
            SecurityProtocol::Ssl => "SSL",
            SecurityProtocol::SaslPlaintext => "SASL_PLAINTEXT",
            SecurityProtocol::SaslSsl => "SASL_SSL",
        }
    }

    pub fn from_name(name: &str) -> Option<SecurityProtocol> {
        use SecurityProtocol::*;
        [Plaintext, Ssl, SaslPlaintext, SaslSsl]
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

/// One of `controller.quorum.voters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    pub id: i32,
    pub address: Address,
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(formatter, "[{}]:{}", self.host, self.port),
            false => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}

/// `host:port` or `[address]:port`. The error goes behind the value: "is not of the form
/// host:port".
pub fn parse_address(text: &str) -> Result<Address, String> {
    let (host, port) = host_and_port(text)?;
    match host.is_empty() {
        true => Err("is not of the form host:port: the host is missing".to_owned()),
        false => Ok(Address { host, port }),
    }
}

/// `id@host:port`.
pub fn parse_voter(text: &str) -> Result<Voter, String> {
    let problem = || "is not of the form id@host:port".to_owned();
    let (id, address) = text.split_once('@').ok_or_else(problem)?;
    let id = id.parse::<i32>().ok().filter(|id| *id >= 0).ok_or_else(problem)?;
    Ok(Voter { id, address: parse_address(address).map_err(|_| problem())? })
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let problem = || "is not of the form host:port".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(problem)?;
    let port =
        port.parse::<u16>().map_err(|_| "has no port of 0 to 65535 at its end".to_owned())?;
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bracketed.unwrap_or(host);
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || "-._%:".contains(character);
    let good =
        host.chars().all(allowed) && (bracketed.is_some() || !host.contains(':') || host == "::");
    good.then(|| (host.to_owned(), port)).ok_or_else(problem)
}

/// The listeners of a config such as `PLAINTEXT://localhost:9092,CONTROLLER://:9093`, with the
/// protocols that `protocols` gives. The error says which element is wrong.
pub fn parse_listeners(
    elements: &[String],
    protocols: &ProtocolMap,
) -> Result<Vec<ListenerConfig>, String> {
    let mut listeners: Vec<ListenerConfig> = Vec::with_capacity(elements.len());
    for element in elements {
        let (name, address) = element
            .split_once("://")
            .ok_or_else(|| format!("'{element}' is not of the form NAME://host:port"))?;
        let name = name.to_uppercase();
        let (host, port) =
            host_and_port(address).map_err(|problem| format!("'{element}' {problem}"))?;
        let security_protocol = protocols.protocol_of(&name).ok_or_else(|| {
            format!(
                "listener {name} has no security protocol: add {name}:PLAINTEXT to \
                listener.security.protocol.map"
            )
        })?;
        if listeners.iter().any(|other| other.name == name) {
            return Err(format!("listener name {name} occurs twice"));
        }
        let listener = ListenerConfig { name, host, port, security_protocol };
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Two listeners may share a port only if one has an IPv4 and the other an IPv6 address.
pub fn check_ports(listeners: &[ListenerConfig]) -> Result<(), String> {
    let is_v6 = |listener: &ListenerConfig| listener.host.parse::<std::net::Ipv6Addr>().is_ok();
    let is_v4 = |listener: &ListenerConfig| listener.host.parse::<std::net::Ipv4Addr>().is_ok();
    for (index, left) in listeners.iter().enumerate() {
        for right in &listeners[index + 1..] {
            let families_differ = (is_v4(left) && is_v6(right)) || (is_v6(left) && is_v4(right));
            if left.port == right.port && left.port != 0 && !families_differ {
                return Err(format!(
                    "listeners {} and {} have the same port {}",
                    left.name, right.name, left.port
                ));
            }
        }
    }
    Ok(())
}

/// `listener.security.protocol.map`: which protocol a listener of each name speaks.
#[derive(Debug, Clone)]
pub struct ProtocolMap {
    by_name: BTreeMap<String, SecurityProtocol>,
}

impl ProtocolMap {
    /// `text` is `NAME:PROTOCOL,...`. Where the map is not set, controller listeners default to
    /// PLAINTEXT (`AbstractKafkaConfig.effectiveListenerSecurityProtocolMap`).
    pub fn parse(
        text: &str,
        is_set: bool,
        controller_listener_names: &[String],
    ) -> Result<ProtocolMap, String> {
        let mut by_name = BTreeMap::new();
        for element in text.split(',').map(str::trim).filter(|element| !element.is_empty()) {
            let (name, protocol) = element
                .split_once(':')
                .ok_or_else(|| format!("'{element}' is not of the form NAME:PROTOCOL"))?;
            let protocol = SecurityProtocol::from_name(protocol.trim()).ok_or_else(|| {
                format!("'{protocol}' is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")
            })?;
            by_name.insert(name.trim().to_uppercase(), protocol);
        }
        for name in controller_listener_names.iter().filter(|_| !is_set) {
            by_name.entry(name.to_uppercase()).or_insert(SecurityProtocol::Plaintext);
        }
        Ok(ProtocolMap { by_name })
    }

    pub fn protocol_of(&self, name: &str) -> Option<SecurityProtocol> {
        self.by_name.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, map: &str) -> Result<Vec<ListenerConfig>, String> {
        let map = ProtocolMap::parse(map, true, &[])?;
        let elements: Vec<String> = text.split(',').map(str::to_owned).collect();
        let listeners = parse_listeners(&elements, &map)?;
        check_ports(&listeners).map(|()| listeners)
    }

    #[test]
    fn names_hosts_ports_and_protocols() {
        let listeners = parse(
            "plaintext://:9092,in://[::1]:9093,out://10.0.0.1:9093",
            "PLAINTEXT:PLAINTEXT,IN:SSL,OUT:SASL_SSL",
        )
        .unwrap();
        let expected = [
            ("PLAINTEXT", "", 9092, SecurityProtocol::Plaintext),
            ("IN", "::1", 9093, SecurityProtocol::Ssl),
            ("OUT", "10.0.0.1", 9093, SecurityProtocol::SaslSsl),
        ];
        for (listener, (name, host, port, protocol)) in listeners.iter().zip(expected) {
            assert_eq!((listener.name.as_str(), listener.host.as_str()), (name, host));
            assert_eq!((listener.port, listener.security_protocol), (port, protocol));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let map = "PLAINTEXT:PLAINTEXT,B:PLAINTEXT";
        let error = |text: &str| parse(text, map).unwrap_err();
        assert_eq!(error("localhost:9092"), "'localhost:9092' is not of the form NAME://host:port");
        assert_eq!(
            error("PLAINTEXT://localhost"),
            "'PLAINTEXT://localhost' is not of the form host:port"
        );
        assert_eq!(
            error("PLAINTEXT://h:99999"),
            "'PLAINTEXT://h:99999' has no port of 0 to 65535 at its end"
        );
        assert_eq!(error("B://h:1,b://h:2"), "listener name B occurs twice");
        assert_eq!(
            error("B://h:1,PLAINTEXT://g:1"),
            "listeners B and PLAINTEXT have the same port 1"
        );
        assert!(error("X://h:1").contains("add X:PLAINTEXT to listener.security.protocol.map"));
        assert!(parse("B://h:1", "B:NOISE").unwrap_err().contains("'NOISE' is not one of"));
        assert!(parse("B://h:0,PLAINTEXT://h:0", map).is_ok());
    }

    #[test]
    fn controller_listeners_need_no_entry_in_a_map_that_nobody_set() {
        let names = ["CONTROLLER".to_owned()];
        let protocol = |is_set| {
            ProtocolMap::parse("PLAINTEXT:PLAINTEXT", is_set, &names)
                .unwrap()
                .protocol_of("CONTROLLER")
        };
        assert_eq!(protocol(false), Some(SecurityProtocol::Plaintext));
        assert_eq!(protocol(true), None);
    }

    #[test]
    fn addresses_are_printed_as_they_are_read() {
        for text in ["localhost:9464", "[::1]:80", "10.1.2.3:0"] {
            assert_eq!(parse_address(text).unwrap().to_string(), text);
        }
        assert!(
            parse_address(":80").is_err()
                && parse_address("a b:80").is_err()
                && parse_address("::1:80").is_err()
        );
        let voter = parse_voter("3@[::1]:9093").unwrap();
        assert_eq!((voter.id, voter.address.to_string().as_str()), (3, "[::1]:9093"));
    }
}
