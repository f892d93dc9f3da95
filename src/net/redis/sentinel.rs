//! Sentinel: which node is the primary of this name?

use super::connection::text;
use super::{Address, Inner, NODE_WITHIN, Node, Options, Reason, RedisError};
use redis::Value;

/// Asks one Sentinel. Its word is not trusted: the node itself must say that it is a primary.
pub(super) async fn primary(
    redis: &Inner,
    sentinel: &Address,
    master: &str,
) -> Result<Node, RedisError> {
    let sentinel = Node::Tcp(sentinel.clone());
    let options = Options {
        response_timeout: NODE_WITHIN,
        pushes: None,
    };
    let mut connection = redis.dial(&sentinel, &redis.sentinel, 0, options).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let answer = question.query_async(&mut connection).await;
    let answer = answer.map_err(|error| RedisError::command(&sentinel, &error))?;
    if answer == Value::Nil {
        let what = "it knows no primary of this name";
        return Err(RedisError::new(Reason::NoPrimary, &sentinel, what));
    }
    read(&answer)
        .map(Node::Tcp)
        .ok_or_else(|| RedisError::new(Reason::Protocol, &sentinel, "it answers with no address"))
}

fn read(answer: &Value) -> Option<Address> {
    let Value::Array(parts) = answer else {
        return None;
    };
    let [host, port] = parts.as_slice() else {
        return None;
    };
    let host = text(host).filter(|host| !host.is_empty())?.to_owned();
    let port = text(port)?.parse().ok()?;
    Some(Address { host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_host_and_a_port_or_none() {
        let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let read =
            |parts: &[&str]| read(&Value::Array(parts.iter().map(|text| bulk(text)).collect()));
        let address = read(&["10.0.0.1", "6379"]).unwrap();
        assert_eq!(address.to_string(), "10.0.0.1:6379");
        for parts in [
            &["10.0.0.1"][..],
            &["", "6379"],
            &["h", "65536"],
            &["h", "1", "2"],
        ] {
            assert_eq!(read(parts), None, "{parts:?}");
        }
    }
}
