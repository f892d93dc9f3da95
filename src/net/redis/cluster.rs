//! Cluster: which node holds this slot?

use super::connection::text;
use super::{Address, Inner, NODE_WITHIN, Node, Options, Reason, RedisError};
use redis::Value;

const SLOTS: u16 = 16_384;

/// The slot of a key: that of what is between its first `{` and the next `}`, if that is anything.
pub fn slot(key: &[u8]) -> u16 {
    let tag = || {
        let (_, after) = key.split_at_checked(key.iter().position(|byte| *byte == b'{')? + 1)?;
        let (tag, _) = after.split_at_checked(after.iter().position(|byte| *byte == b'}')?)?;
        (!tag.is_empty()).then_some(tag)
    };
    crc16(tag().unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            let carry = if crc & 0x8000 == 0 { 0 } else { 0x1021 };
            crc << 1 ^ carry
        })
    })
}

/// Asks one node who holds a slot.
pub(super) async fn primary(redis: &Inner, seed: &Address, slot: u16) -> Result<Node, RedisError> {
    let node = Node::Tcp(seed.clone());
    let options = Options {
        response_timeout: NODE_WITHIN,
        pushes: None,
    };
    let mut connection = redis.dial(&node, &redis.login, 0, options).await?;
    let mut question = redis::cmd("CLUSTER");
    question.arg("SLOTS");
    let answer = question.query_async(&mut connection).await;
    let answer = answer.map_err(|error| RedisError::command(&node, &error))?;
    match read(&answer, seed, slot) {
        Some(Some(holder)) => Ok(Node::Tcp(holder)),
        Some(None) => Err(RedisError::new(
            Reason::NoPrimary,
            &node,
            format!("it knows no node that holds slot {slot}"),
        )),
        None => Err(RedisError::new(
            Reason::Protocol,
            &node,
            "it answers CLUSTER SLOTS with something else",
        )),
    }
}

/// The holder of a slot, if any; `None` for what is no such answer.
///
/// Where a node does not tell a host, it is the one that was asked.
#[expect(
    clippy::option_option,
    reason = "no holder is an answer, and garbage is none"
)]
fn read(answer: &Value, asked: &Address, slot: u16) -> Option<Option<Address>> {
    let Value::Array(ranges) = answer else {
        return None;
    };
    for range in ranges {
        let Value::Array(parts) = range else {
            return None;
        };
        let [
            Value::Int(first),
            Value::Int(last),
            Value::Array(primary),
            ..,
        ] = parts.as_slice()
        else {
            return None;
        };
        if !(*first..=*last).contains(&slot.into()) {
            continue;
        }
        let [host, Value::Int(port), ..] = primary.as_slice() else {
            return None;
        };
        let host = if host == &Value::Nil { "" } else { text(host)? };
        let host = match host {
            "" => &asked.host,
            "?" => return Some(None),
            host => host,
        };
        return Some(Some(Address {
            host: host.to_owned(),
            port: u16::try_from(*port).ok()?,
        }));
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(b""), 0);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"user1000"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
        assert_eq!(slot(b"}{"), crc16(b"}{") % SLOTS);
    }

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let id = Value::BulkString(b"id".to_vec());
        let primary = Value::Array(vec![host, Value::Int(port), id, Value::Array(Vec::new())]);
        Value::Array(vec![Value::Int(first), Value::Int(last), primary])
    }

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn the_holder_is_the_first_node_of_the_range_that_has_the_slot() {
        let asked = Address {
            host: "seed".to_owned(),
            port: 1,
        };
        let answer = Value::Array(vec![
            range(0, 99, bulk("10.0.0.1"), 7000),
            range(100, 199, Value::Nil, 7001),
            range(200, 299, bulk(""), 7002),
            range(300, 399, bulk("?"), 7003),
            range(400, 499, bulk("h"), 70_000),
        ]);
        let holder = |slot| read(&answer, &asked, slot);
        let shown = |slot| holder(slot).unwrap().unwrap().to_string();
        assert_eq!(shown(0), "10.0.0.1:7000");
        assert_eq!(shown(99), "10.0.0.1:7000");
        assert_eq!(shown(100), "seed:7001");
        assert_eq!(shown(299), "seed:7002");
        assert_eq!(holder(300), Some(None));
        assert_eq!(holder(499), None);
        assert_eq!(holder(500), Some(None));
        assert_eq!(read(&Value::Okay, &asked, 0), None);
    }
}
