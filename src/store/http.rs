//! HTTP as stores need it, over the client that Polars links already, and a plain POST for lineage.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::{
    ClientConfigKey, ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    },
};
use reqwest::{Client, Url, header::CONTENT_TYPE, redirect::Policy};
use tokio::runtime::Builder;

/// Within which a store must answer a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Within which the next bytes must come.
const SILENCE: Duration = Duration::from_secs(30);

/// Within which a receiver of lineage must have answered.
const LINEAGE: Duration = Duration::from_secs(5);

fn agent() -> String {
    format!("whalecurve/{}", env!("CARGO_PKG_VERSION"))
}

/// Makes clients of stores.
#[derive(Debug)]
pub(super) struct Connector;

#[derive(Debug)]
struct Service(Client);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp).as_deref() == Some("true");
        let client = Client::builder()
            .https_only(!plain)
            .connect_timeout(connect_timeout(options))
            .read_timeout(SILENCE)
            .user_agent(agent())
            .build()
            .map_err(|error| object_store::Error::Generic { store: "HTTP", source: Box::new(error.without_url()) })?;
        Ok(HttpClient::new(Service(client)))
    }
}

/// What the options say (the machine's role is asked with little patience), else ten seconds.
fn connect_timeout(options: &ClientOptions) -> Duration {
    let told = options.get_config_value(&ClientConfigKey::ConnectTimeout);
    let seconds = told.and_then(|told| told.strip_suffix('s')?.parse().ok());
    seconds.map_or(CONNECT, Duration::from_secs)
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let mut sent = reqwest::Request::new(parts.method, url);
        *sent.headers_mut() = parts.headers;
        *sent.body_mut() = Some(match body.as_bytes() {
            Some(bytes) => bytes.clone().into(),
            None => reqwest::Body::wrap(body),
        });
        let response = self.0.execute(sent).await.map_err(failed)?;
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(failed))))
    }
}

/// What went wrong, without the URL, which may hold a token. An interrupted request is repeated where that does no harm.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else if error.is_request() || error.is_body() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error.without_url())
}

/// Posts a document of JSON, once, within five seconds.
///
/// * `key`: sent as a bearer token.
///
/// # Errors
/// What went wrong in a few words, without the URL and the key.
pub fn post(url: &str, key: Option<&str>, body: String) -> Result<(), String> {
    let url = Url::parse(url).map_err(|_| "it is no URL".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user or a password; give a key by OPENLINEAGE_API_KEY".to_owned());
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let sent = async {
        let client = Client::builder().timeout(LINEAGE).redirect(Policy::none()).user_agent(agent()).build()?;
        let mut request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        request.send().await
    };
    match runtime.block_on(sent) {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("it answers {}", answer.status().as_u16())),
        Err(error) if error.is_timeout() => Err("it did not answer in time".to_owned()),
        Err(error) if error.is_connect() => Err("it cannot be reached".to_owned()),
        Err(_) => Err("it could not be sent".to_owned()),
    }
}
