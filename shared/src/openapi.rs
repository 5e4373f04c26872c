//! The API's document (OpenAPI 3.1), made of what each function says of its own operations in its `api.rs`.
//!
//! Compiled for the test that writes it down, and in no zip.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// What an operation answers when it does not do what was asked: status, and the slugs of the problems.
pub type Problems = &'static [(u16, &'static str)];

/// What a signed-in artist's reads may answer.
pub const DASHBOARD: Problems = &[
    (400, "malformed"),
    (401, "unauthenticated"),
    (404, "not-found, no-artist"),
    (422, "invalid"),
    (503, "sign-in-unavailable, try-again"),
];

/// The document while it is written.
#[derive(Debug)]
pub struct Document {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
    operations: BTreeMap<(&'static str, &'static str), Value>,
}

/// One operation while it is described.
#[derive(Debug)]
#[must_use = "an operation is in the document once `refuses` has ended it"]
pub struct Operation<'a> {
    document: &'a mut Document,
    route: (&'static str, &'static str),
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
}

impl Default for Document {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            answers: settings().for_serialize().into_generator(),
            requests: settings().for_deserialize().into_generator(),
            operations: BTreeMap::new(),
        }
    }
}

impl Document {
    /// Begins an operation: its route as `infra/routes.json` has it, its name for programs, and what it does.
    pub fn operation(
        &mut self,
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Operation<'_> {
        let id_of_the_path =
            path.contains("{id}").then(|| in_path("id", json!({ "type": "string", "format": "uuid" })));
        Operation {
            document: self,
            route: (method, path),
            id,
            summary,
            parameters: id_of_the_path.into_iter().collect(),
            body: None,
            responses: Map::new(),
        }
    }

    /// The routes that are described: method and path.
    pub fn routes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.operations.keys().copied()
    }

    pub fn write(self) -> Value {
        let mut paths = Map::new();
        for ((method, path), operation) in self.operations {
            let entry = paths.entry(path).or_insert_with(|| json!({}));
            entry[method.to_ascii_lowercase()] = operation;
        }
        let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
        for generator in [&self.answers, &self.requests] {
            schemas.extend(generator.definitions().iter().map(|(name, schema)| (name.clone(), schema.clone())));
        }
        schemas.insert("Problem".into(), problem());
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "InkFlow",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Booking with a deposit for tattoo artists. Errors are application/problem+json (RFC 9457).",
                "license": { "name": "MIT", "identifier": "MIT" },
            },
            "servers": [{ "url": "/" }],
            "paths": paths,
            "components": { "schemas": schemas },
        })
    }
}

impl Operation<'_> {
    /// A part of the path beside `{id}`, which is one of its own accord.
    pub fn in_path(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(in_path(name, schema));
        self
    }

    /// A parameter of the query that may be left out.
    pub fn in_query(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(parameter("query", name, false, schema));
        self
    }

    /// A parameter of the query that must be there.
    pub fn must_ask(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(parameter("query", name, true, schema));
        self
    }

    /// A header that may be left out.
    pub fn in_header(mut self, name: &str, schema: Value) -> Self {
        self.parameters.push(parameter("header", name, false, schema));
        self
    }

    /// A body in JSON.
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(self.document.requests.subschema_for::<T>().to_value());
        self
    }

    /// A body whose form is somebody else's.
    pub fn takes_an_object(mut self) -> Self {
        self.body = Some(json!({ "type": "object" }));
        self
    }

    /// What it answers when it does what was asked.
    pub fn answers<T: JsonSchema>(self, status: u16) -> Self {
        let schema = self.document.answers.subschema_for::<T>().to_value();
        self.answers_as(status, "application/json", schema)
    }

    /// The same, of an answer that no type describes.
    pub fn answers_as(mut self, status: u16, media: &str, schema: Value) -> Self {
        let answer = json!({ "description": self.summary, "content": { media: { "schema": schema } } });
        self.responses.insert(status.to_string(), answer);
        self
    }

    /// The same, of an answer without a body.
    pub fn answers_nothing(mut self, status: u16) -> Self {
        self.responses.insert(status.to_string(), json!({ "description": self.summary }));
        self
    }

    /// Ends it with what it answers else.
    ///
    /// # Panics
    /// The route is described twice.
    pub fn refuses(mut self, problems: Problems) {
        // An address that nothing can read is no operation's own matter.
        let unreadable = (!problems.iter().any(|(status, _)| *status == 400)).then_some(&(400, "malformed"));
        for (status, slugs) in problems.iter().chain(unreadable) {
            let content =
                json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
            self.responses.insert(status.to_string(), json!({ "description": slugs, "content": content }));
        }
        let mut described = json!({ "operationId": self.id, "summary": self.summary, "responses": self.responses });
        if !self.parameters.is_empty() {
            described["parameters"] = json!(self.parameters);
        }
        if let Some(body) = self.body {
            described["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": body } } });
        }
        let before = self.document.operations.insert(self.route, described);
        assert!(before.is_none(), "{} {} is described twice", self.route.0, self.route.1);
    }
}

fn parameter(place: &str, name: &str, required: bool, schema: Value) -> Value {
    json!({ "in": place, "name": name, "required": required, "schema": schema })
}

fn in_path(name: &str, schema: Value) -> Value {
    parameter("path", name, true, schema)
}

fn problem() -> Value {
    json!({
        "description": "RFC 9457. `type` is an anchor of the site's page of problems; a refused slot comes with those that are free.",
        "type": "object",
        "required": ["type", "title", "status", "instance"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string", "format": "uri" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": { "pointer": { "type": "string" }, "detail": { "type": "string" } },
                },
            },
            "slots": { "type": "array", "items": { "$ref": "#/components/schemas/DayView" } },
            "own": { "$ref": "#/components/schemas/HeldView" },
            "until": { "type": "string", "format": "date-time" },
            "proof": {
                "description": "For each part from 0 a number such that SHA-256 of 24 bytes begins with so many zero bits: the last 16 bytes of the challenge, the part and the number, 4 bytes each. X-Proof is the challenge, a full stop, and the numbers with commas between them.",
                "type": "object",
                "required": ["challenge", "parts", "bits", "expires_at", "hold_minutes"],
                "properties": {
                    "challenge": { "type": "string" },
                    "parts": { "type": "integer" },
                    "bits": { "type": "integer" },
                    "expires_at": { "type": "string", "format": "date-time" },
                    "hold_minutes": { "type": "integer" },
                },
            },
        },
    })
}
