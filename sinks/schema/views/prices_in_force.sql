-- The public interface: plain views for dashboards and other jobs. Cells are private. Sources of a replaced epoch
-- (topic_epochs, mode 'replace') are left out. Filters on organization and window reach the cells' primary key through
-- every view here; tests/integration/test_views.py checks the plans.

CREATE OR REPLACE VIEW prices_in_force AS
SELECT
    model, service_tier, context_window, inference_geo, speed,
    effective_from AS in_force_from,
    leadInFrame(toNullable(effective_from)) OVER (
        PARTITION BY model, service_tier, context_window, inference_geo, speed ORDER BY effective_from
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS in_force_until,
    uncached_input_token_usd, cache_read_input_token_usd, cache_creation_5m_input_token_usd,
    cache_creation_1h_input_token_usd, output_token_usd, web_search_request_usd, execution_millisecond_usd,
    origin
FROM prices;
