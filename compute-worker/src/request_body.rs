//! Bodies of HTTP requests, bounded so that whoever sends too much is told so.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use std::convert::Infallible;
use tokio_stream::StreamExt;

/// Largest body of a request, in bytes. A context is far smaller.
const MOST_BODY: usize = 4 << 20;
/// Bytes that are read and forgotten after those. Clients that are still sending when the connection is
/// closed see a broken pipe and not the answer (RFC 9112, section 9.6).
const MOST_DISCARDED: usize = 64 << 20;

/// Why a body cannot be had, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body has over {MOST_BODY} bytes, more than any context; shorten it")]
    TooLarge,
    #[error("the body cannot be read: {0}; send it again")]
    Unreadable(String),
}

impl BodyError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// The body of a request, or why there is none: each API says it in its own shape.
pub(crate) struct RequestBody(pub(crate) Result<Bytes, BodyError>);

impl<S: Sync> FromRequest<S> for RequestBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        let mut chunks = request.into_body().into_data_stream();
        let mut body = Vec::new();
        let mut discarded = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return Ok(Self(Err(BodyError::Unreadable(error.to_string())))),
            };
            if discarded == 0 && body.len() + chunk.len() <= MOST_BODY {
                body.extend_from_slice(&chunk);
                continue;
            }
            discarded += chunk.len();
            if discarded > MOST_DISCARDED {
                break;
            }
        }
        Ok(Self(if discarded > 0 {
            Err(BodyError::TooLarge)
        } else {
            Ok(body.into())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use std::{
        io,
        sync::{
            atomic::{AtomicUsize, Ordering},
            Arc,
        },
    };

    async fn read(body: Body) -> Result<Bytes, BodyError> {
        let RequestBody(body) = RequestBody::from_request(Request::new(body), &())
            .await
            .unwrap_or_else(|never| match never {});
        body
    }

    /// A body of so many mebibytes, and a count of those that were read.
    fn mebibytes(count: usize) -> (Body, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let counter = read.clone();
        let chunk = Bytes::from(vec![b'a'; 1 << 20]);
        let chunks = std::iter::repeat_n(chunk, count).map(move |chunk| {
            counter.fetch_add(1, Ordering::Relaxed);
            io::Result::Ok(chunk)
        });
        (Body::from_stream(tokio_stream::iter(chunks)), read)
    }

    #[tokio::test]
    async fn bodies_up_to_the_limit_are_read() {
        assert_eq!(read(Body::from("{}")).await, Ok("{}".into()));
        let (body, _) = mebibytes(4);
        assert_eq!(read(body).await.map(|body| body.len()), Ok(MOST_BODY));
    }

    #[tokio::test]
    async fn larger_bodies_are_read_to_their_end_but_not_for_ever() {
        for (sent, wanted) in [(5, 5), (68, 68), (200, 69)] {
            let (body, count) = mebibytes(sent);
            assert_eq!(read(body).await, Err(BodyError::TooLarge));
            assert_eq!(count.load(Ordering::Relaxed), wanted, "of {sent}");
        }
    }

    #[tokio::test]
    async fn a_client_that_breaks_off_is_not_taken_for_done() {
        let broken = [Ok(Bytes::from("{")), Err(io::Error::other("reset"))];
        let body = Body::from_stream(tokio_stream::iter(broken));
        let error = read(body).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
        assert!(error.to_string().contains("reset"), "{error}");
    }
}
