//! What holds for every answer, whatever the upstream sends and however it is cut.

#![expect(clippy::disallowed_types, reason = "the independent reading of an answer is a JSON tree")]
#![expect(clippy::expect_used, clippy::panic, reason = "a law that cannot be tried is a failure")]

mod laws {
    //! One file per way of making streams.
    mod chat;
    mod chat_lowering;
    mod chunks;
    mod fold;
    mod gemini_lowering;
    mod lowering;
    mod nonsense;
    mod spreadsheet;
    mod truth;
}
