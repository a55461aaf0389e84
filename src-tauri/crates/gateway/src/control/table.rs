//! The paths of the control plane, as one table: the router is built from it, and `docs/api.md` is compared with it. The old
//! paths have one, too.
//!
//! **Invariant:** there is no other way to a handler under `/api`.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use std::sync::Arc;

use crate::Gateway;

/// One row: what is asked, as `docs/api.md` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRoute {
    /// The HTTP method.
    pub method: Method,
    /// The whole path, with its parameters in braces.
    pub path: String,
}

/// The rows so far, and the router they make.
#[derive(Default)]
pub(crate) struct Table {
    /// The rows stand at the root, not under `/api`.
    at_root: bool,
    rows: Vec<ControlRoute>,
    router: Router<Arc<Gateway>>,
}

// === impl Table ===

impl Table {
    /// One whose paths are whole.
    pub(crate) fn at_root() -> Self {
        Self { at_root: true, ..Self::default() }
    }

    pub(crate) fn get<T: 'static>(self, path: &str, handler: impl Handler<T, Arc<Gateway>>) -> Self {
        self.row(Method::GET, MethodFilter::GET, path, handler)
    }

    pub(crate) fn post<T: 'static>(self, path: &str, handler: impl Handler<T, Arc<Gateway>>) -> Self {
        self.row(Method::POST, MethodFilter::POST, path, handler)
    }

    pub(crate) fn put<T: 'static>(self, path: &str, handler: impl Handler<T, Arc<Gateway>>) -> Self {
        self.row(Method::PUT, MethodFilter::PUT, path, handler)
    }

    pub(crate) fn patch<T: 'static>(self, path: &str, handler: impl Handler<T, Arc<Gateway>>) -> Self {
        self.row(Method::PATCH, MethodFilter::PATCH, path, handler)
    }

    pub(crate) fn delete<T: 'static>(self, path: &str, handler: impl Handler<T, Arc<Gateway>>) -> Self {
        self.row(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    pub(crate) fn options<T: 'static>(self, path: &str, handler: impl Handler<T, Arc<Gateway>>) -> Self {
        self.row(Method::OPTIONS, MethodFilter::OPTIONS, path, handler)
    }

    fn row<T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &str,
        handler: impl Handler<T, Arc<Gateway>>,
    ) -> Self {
        let base = if self.at_root { "" } else { "/api" };
        self.rows.push(ControlRoute { method, path: format!("{base}{path}") });
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    pub(crate) fn into_router(self) -> Router<Arc<Gateway>> {
        self.router
    }

    pub(crate) fn into_rows(self) -> Vec<ControlRoute> {
        self.rows
    }
}
