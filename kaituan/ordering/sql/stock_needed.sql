-- What one order takes from each counter: pools (all its lines together), quotas, the person's own limits.
-- `offer` names one line that draws on the counter and `steps` what one step of it takes.
CREATE FUNCTION stock_needed(
    p_position integer,
    p_person bigint,
    p_line_order integer[],
    p_line_offer bigint[],
    p_line_quantity bigint[]
) RETURNS TABLE (counter text, offer bigint, steps bigint, quantity bigint)
LANGUAGE sql STABLE AS $body$
    WITH line AS (
        SELECT l.offer, l.quantity FROM unnest(p_line_order, p_line_offer, p_line_quantity) AS l(i, offer, quantity)
        WHERE l.i = p_position
    )
    SELECT 'pool:' || link.pool_id, min(line.offer), min(link.steps_per_step)::bigint,
        sum(line.quantity * link.steps_per_step)::bigint
    FROM line JOIN campaigns_offerpool link ON link.offer_id = line.offer GROUP BY link.pool_id
    UNION ALL
    SELECT 'offer:' || line.offer, line.offer, 1, line.quantity FROM line
    UNION ALL
    SELECT 'person:' || line.offer || ':' || p_person, line.offer, 1, line.quantity FROM line
$body$;
