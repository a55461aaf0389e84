//! What an answer cost, from the upstream's way of counting to Anthropic's.

use codeferry_wire::anthropic::frame::Usage as AnthropicUsage;
use codeferry_wire::responses::event::Usage;

/// The upstream counts cached tokens inside the input, Anthropic beside it; clients add the three up to know how full the
/// context is (claude-code.md §5). A count that is larger than what it is part of is cut to it.
///
/// One token always stays outside the cache: to a client 0 at the end means "not said", it then keeps the estimate the
/// answer began with and counts the prompt twice.
pub fn to_anthropic(usage: Usage, web_search_requests: u64) -> AnthropicUsage {
    let fresh = usage.input_tokens.min(1);
    let read = usage.cached_tokens.min(usage.input_tokens - fresh);
    let written = usage.cache_write_tokens.min(usage.input_tokens - fresh - read);
    AnthropicUsage {
        input_tokens: usage.input_tokens - read - written,
        cache_creation_input_tokens: written,
        cache_read_input_tokens: read,
        output_tokens: usage.output_tokens,
        thinking_tokens: usage.reasoning_tokens.min(usage.output_tokens),
        web_search_requests,
    }
}

#[cfg(test)]
mod tests {
    use codeferry_wire::anthropic::frame::Usage as AnthropicUsage;
    use codeferry_wire::responses::event::Usage;

    use super::to_anthropic;

    #[test]
    fn the_three_inputs_add_up_to_the_upstreams_one() {
        let usage = Usage {
            input_tokens: 100,
            cached_tokens: 64,
            cache_write_tokens: 30,
            output_tokens: 9,
            reasoning_tokens: 4,
        };
        assert_eq!(
            to_anthropic(usage, 2),
            AnthropicUsage {
                input_tokens: 6,
                cache_creation_input_tokens: 30,
                cache_read_input_tokens: 64,
                output_tokens: 9,
                thinking_tokens: 4,
                web_search_requests: 2,
            }
        );
        let wrong = to_anthropic(Usage { cached_tokens: 200, reasoning_tokens: 10, ..usage }, 0);
        assert_eq!((wrong.input_tokens, wrong.cache_read_input_tokens, wrong.thinking_tokens), (1, 99, 9));
    }

    /// As the codex host counts: what was not read from the cache was written to it.
    #[test]
    fn a_prompt_that_is_all_cache_still_overrides_the_estimate() {
        let inputs = |input_tokens, cached_tokens, cache_write_tokens| {
            let usage =
                Usage { input_tokens, cached_tokens, cache_write_tokens, output_tokens: 0, reasoning_tokens: 0 };
            let usage = to_anthropic(usage, 0);
            (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
        };
        assert_eq!(inputs(100, 64, 36), (1, 64, 35));
        assert_eq!(inputs(100, 100, 0), (1, 99, 0));
        assert_eq!(inputs(0, 0, 0), (0, 0, 0));
    }
}
