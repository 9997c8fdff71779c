//! A small HTTP client over `wasi:http`: one request, and the whole of its response.
//!
//! ```no_run
//! # fn f() -> Result<(), String> {
//! use network_plugin_api::http::Request;
//!
//! let response = Request::post("https://api.example.com/orders")
//!     .header("content-type", "application/json")
//!     .body(r#"{"amount": 1}"#)
//!     .send()?;
//! assert_eq!(response.status, 201);
//! # Ok(())
//! # }
//! ```
//!
//! A plugin that sends requests asks for `AccessLevels::OUTBOUND_HTTP`, and its policy names what it may reach. Redirects
//! are not followed, content is not decoded and nothing is tried again. A response with any status is a response. Bodies
//! are held in the plugin's memory; where one may be large, use the streams of `bindings::wasi::http`.

mod error;
mod url;

pub use error::Error;

use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use crate::bindings::wasi::io::streams::StreamError;
use url::{Target, TargetScheme};

/// What one write to a body may be, by the interface.
const MAX_WRITE: usize = 4096;
const MAX_READ: u64 = 65536;

/// A request. [`Request::send`] sends it.
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    timeout_ms: Option<u64>,
}

/// A response, read to its end.
pub struct Response {
    /// Whatever the server said, 404 and 500 included.
    pub status: u16,
    /// Names and values as they came, in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body as it came: nothing is decoded.
    pub body: Vec<u8>,
}

impl Request {
    /// `GET` of an `http://` or `https://` URL.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// `POST` to an `http://` or `https://` URL.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Any method, such as `PUT`, and an `http://` or `https://` URL. Whether both are valid is told by [`Request::send`].
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: None, timeout_ms: None }
    }

    /// Adds a header, beside those of the same name. `host`, `content-length` and those of the connection are the host's.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Sets the body. An empty one is a body, too.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// How long connecting may take, and how long the response's header, in milliseconds. The host's own limits and the
    /// deadline of the plugin's request hold besides.
    pub fn timeout_ms(mut self, milliseconds: u64) -> Self {
        self.timeout_ms = Some(milliseconds);
        self
    }

    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where something of the request is not valid, with nothing sent; [`Error::Failed`] where the host
    /// refused the request or no whole response came.
    pub fn send(self) -> Result<Response, Error> {
        let target = Target::parse(&self.url)?;
        let (request, outgoing) = self.prepare(&target)?;
        let future = handle(request, self.options()?).map_err(Error::Failed)?;
        if let Some(outgoing) = outgoing {
            write(outgoing, self.body.as_deref().unwrap_or_default())?;
        }
        future.subscribe().block();
        match future.get() {
            Some(Ok(answer)) => read(answer.map_err(Error::Failed)?),
            // It is ready, and nobody has taken it.
            _ => Err(Error::BrokenOff),
        }
    }

    fn prepare(&self, target: &Target) -> Result<(OutgoingRequest, Option<OutgoingBody>), Error> {
        let fields = Fields::new();
        for (name, value) in &self.headers {
            fields.append(name, value).map_err(|_| Error::Invalid("header"))?;
        }
        if let Some(body) = &self.body {
            fields
                .append("content-length", body.len().to_string().as_bytes())
                .map_err(|_| Error::Invalid("content-length"))?;
        }
        let request = OutgoingRequest::new(fields);
        let scheme = match target.scheme {
            TargetScheme::Http => Scheme::Http,
            TargetScheme::Https => Scheme::Https,
        };
        request.set_method(&method_of(&self.method)).map_err(|()| Error::Invalid("method"))?;
        request.set_scheme(Some(&scheme)).map_err(|()| Error::Invalid("URL"))?;
        request.set_authority(Some(target.authority)).map_err(|()| Error::Invalid("URL"))?;
        request.set_path_with_query(Some(&target.path_with_query)).map_err(|()| Error::Invalid("URL"))?;
        let outgoing = match self.body {
            Some(_) => Some(request.body().map_err(|()| Error::Invalid("body"))?),
            None => None,
        };
        Ok((request, outgoing))
    }

    fn options(&self) -> Result<Option<RequestOptions>, Error> {
        let Some(milliseconds) = self.timeout_ms else { return Ok(None) };
        let nanoseconds = Some(milliseconds.saturating_mul(1_000_000));
        let options = RequestOptions::new();
        options.set_connect_timeout(nanoseconds).map_err(|()| Error::Invalid("time-out"))?;
        options.set_first_byte_timeout(nanoseconds).map_err(|()| Error::Invalid("time-out"))?;
        Ok(Some(options))
    }
}

impl Response {
    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The body as text: what is no UTF-8 in it is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A method that has a name of its own must be called by it.
fn method_of(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.into()),
    }
}

fn write(outgoing: OutgoingBody, body: &[u8]) -> Result<(), Error> {
    let stream = outgoing.write().map_err(|()| Error::BrokenOff)?;
    for chunk in body.chunks(MAX_WRITE) {
        // A server may answer before it has read everything: then the answer tells more than this error.
        if stream.blocking_write_and_flush(chunk).is_err() {
            return Ok(());
        }
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(Error::Failed)
}

fn read(response: IncomingResponse) -> Result<Response, Error> {
    let status = response.status();
    let headers = response.headers().entries();
    let incoming = response.consume().map_err(|()| Error::BrokenOff)?;
    let stream = incoming.stream().map_err(|()| Error::BrokenOff)?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(MAX_READ) {
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(Error::BrokenOff),
        }
    }
    drop(stream);
    drop(IncomingBody::finish(incoming));
    Ok(Response { status, headers, body })
}
