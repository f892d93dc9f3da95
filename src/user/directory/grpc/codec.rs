//! Messages out of bytes, and what is none told from a call that failed.

use prost::{DecodeError, Message};
use std::marker::PhantomData;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Writes messages `W`, and reads `R`; a message that is none ends neither call nor stream.
pub(super) struct Messages<W, R>(PhantomData<fn(W) -> R>);

impl<W, R> Messages<W, R> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<W: Message + 'static, R: Message + Default + 'static> Codec for Messages<W, R> {
    type Encode = W;
    type Decode = Result<R, DecodeError>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::new()
    }

    fn decoder(&mut self) -> Self {
        Self::new()
    }
}

impl<W: Message, R> Encoder for Messages<W, R> {
    type Item = W;
    type Error = Status;

    fn encode(&mut self, message: W, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message
            .encode(to)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl<W, R: Message + Default> Decoder for Messages<W, R> {
    type Item = Result<R, DecodeError>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        Ok(Some(R::decode(from)))
    }
}
