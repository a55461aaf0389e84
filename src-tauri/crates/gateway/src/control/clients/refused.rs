//! Why a client's files are not changed, for programs.

use axum::http::StatusCode;
use codeferry_clients::apply::Trouble;

use crate::control::refused::Refused;
use crate::setup::SetupError;

impl From<SetupError> for Refused {
    fn from(error: SetupError) -> Self {
        let (status, code) = match error {
            SetupError::ByHand(_) => (StatusCode::CONFLICT, "by_hand"),
            SetupError::NoTarget { .. } => (StatusCode::NOT_FOUND, "unknown_target"),
            SetupError::Obstacle(_) => (StatusCode::CONFLICT, "obstacle"),
            SetupError::Stale => (StatusCode::CONFLICT, "changed_meanwhile"),
            SetupError::Trouble(trouble) => return trouble.into(),
            SetupError::Keys(error) => return error.into(),
            SetupError::Memory(_) => (StatusCode::INTERNAL_SERVER_ERROR, "client_files_failed"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        let (status, code) = match &trouble {
            Trouble::Bad { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "unreadable_file"),
            Trouble::Changed { .. } => (StatusCode::CONFLICT, "changed_meanwhile"),
            Trouble::ReadOnly { .. } => (StatusCode::CONFLICT, "read_only"),
            Trouble::NoBackup { .. } => (StatusCode::NOT_FOUND, "unknown_backup"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "client_files_failed"),
        };
        Self::new(status, code, trouble.to_string())
    }
}
