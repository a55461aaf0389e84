//! Reading a request body: whole, bounded, unpacked.

use std::pin::Pin;

use async_compression::tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use codeferry_wire::anthropic::error::ErrorKind;
use futures_util::TryStreamExt;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, BufReader};
use tokio_util::io::StreamReader;

use crate::reply::Problem;

/// Reads a body of at most `limit` bytes, counted after unpacking.
///
/// # Errors
/// 413 beyond the limit, 415 for an encoding nobody knows, 400 when the connection breaks or the packed bytes are bad.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase()) {
        None => plain(body, limit).await,
        Some(encoding) if encoding.is_empty() || encoding == "identity" => plain(body, limit).await,
        Some(encoding) => packed(&encoding, body, limit).await,
    }
}

/// One allocation where the length is known, and no second copy of a body of many megabytes.
async fn plain(mut body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let expected = body.size_hint();
    if expected.lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(expected.exact().unwrap_or(0)).unwrap_or(0).min(limit));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| broken())?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > limit {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

async fn packed(encoding: &str, body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let reader = StreamReader::new(TryStreamExt::map_err(body.into_data_stream(), std::io::Error::other));
    let mut unpacked: Pin<Box<dyn AsyncRead + Send>> = match encoding {
        "gzip" | "x-gzip" => Box::pin(GzipDecoder::new(reader)),
        "deflate" => deflate(reader).await?,
        "br" => Box::pin(BrotliDecoder::new(reader)),
        "zstd" => Box::pin(ZstdDecoder::new(reader)),
        _ => {
            let message = "this Content-Encoding is not understood; send identity, gzip, deflate, br or zstd";
            let problem = Problem::bad_request(message).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            return Err(problem.about(Some("unsupported_encoding"), None));
        }
    };
    let mut bytes = Vec::new();
    // One byte more than allowed tells a full body from one that is too large.
    let read = (&mut unpacked).take(limit as u64 + 1).read_to_end(&mut bytes).await;
    read.map_err(|_| Problem::bad_request(format!("the request body is not valid {encoding}")))?;
    if bytes.len() > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

/// `deflate` means zlib (RFC 9110 §8.4.1.2), yet some send the bare stream. The first byte tells.
async fn deflate(reader: impl AsyncBufRead + Send + 'static) -> Result<Pin<Box<dyn AsyncRead + Send>>, Problem> {
    let mut reader = Box::pin(BufReader::new(reader));
    let first = tokio::io::AsyncBufReadExt::fill_buf(&mut reader).await.map_err(|_| broken())?.first().copied();
    Ok(if first.is_some_and(|byte| byte & 0x0F == 8) {
        Box::pin(ZlibDecoder::new(reader))
    } else {
        Box::pin(DeflateDecoder::new(reader))
    })
}

fn too_large(limit: usize) -> Problem {
    let message = format!("the request body is larger than {} MiB (setting body_limit_mib)", limit / (1024 * 1024));
    Problem::new(ErrorKind::RequestTooLarge, message)
}

fn broken() -> Problem {
    Problem::bad_request("the request body ended before it was complete")
}

#[cfg(test)]
mod tests {
    use async_compression::tokio::bufread::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
    use axum::body::Body;
    use axum::http::{HeaderMap, HeaderValue};
    use tokio::io::{AsyncRead, AsyncReadExt};

    use super::read;

    const TEXT: &[u8] = b"{\"model\":\"m\"} and some more, and some more, and some more";

    async fn pack(mut encoder: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut packed = Vec::new();
        encoder.read_to_end(&mut packed).await.expect("packing works");
        packed
    }

    async fn status(encoding: &str, bytes: Vec<u8>, limit: usize) -> Result<Vec<u8>, u16> {
        let mut headers = HeaderMap::new();
        if !encoding.is_empty() {
            headers.insert("content-encoding", HeaderValue::from_str(encoding).expect("a header"));
        }
        read(&headers, Body::from(bytes), limit).await.map_err(|problem| problem.status.as_u16())
    }

    #[tokio::test]
    async fn every_encoding_is_unpacked() {
        let all = [
            ("", TEXT.to_vec()),
            ("identity", TEXT.to_vec()),
            ("gzip", pack(GzipEncoder::new(TEXT)).await),
            ("deflate", pack(ZlibEncoder::new(TEXT)).await),
            ("deflate", pack(DeflateEncoder::new(TEXT)).await),
            ("br", pack(BrotliEncoder::new(TEXT)).await),
            ("ZSTD", pack(ZstdEncoder::new(TEXT)).await),
        ];
        for (encoding, bytes) in all {
            assert_eq!(status(encoding, bytes, 1000).await.as_deref(), Ok(TEXT), "{encoding}");
        }
    }

    #[tokio::test]
    async fn limits_count_what_was_unpacked() {
        assert_eq!(status("", TEXT.to_vec(), TEXT.len()).await.as_deref(), Ok(TEXT));
        assert_eq!(status("", TEXT.to_vec(), TEXT.len() - 1).await, Err(413));
        let bomb = pack(GzipEncoder::new(&vec![0_u8; 1_000_000][..])).await;
        assert!(bomb.len() < 2_000);
        assert_eq!(status("gzip", bomb, 100_000).await, Err(413));
    }

    #[tokio::test]
    async fn bad_bytes_and_unknown_encodings() {
        assert_eq!(status("gzip", TEXT.to_vec(), 1000).await, Err(400));
        assert_eq!(status("lzma", TEXT.to_vec(), 1000).await, Err(415));
    }
}
