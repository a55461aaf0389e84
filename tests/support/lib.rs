//! What the tests share: the answer side as one pipe, and judges of what comes out.

pub mod answer;
