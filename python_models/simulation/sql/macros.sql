-- Every draw is a function of the seed, of what it is for, and of the key of an entity.
-- hash(a, b) combines linearly, so the outer hash is what makes two purposes independent.
create macro uniform(purpose, entity_key) as
(hash(xor(hash(getvariable('seed'), purpose), entity_key)) >> 11) * power(2.0, -53);

create macro normal(purpose, entity_key) as
sqrt(-2 * ln(1 - uniform(purpose || ' radius', entity_key)))
* cos(2 * pi() * uniform(purpose || ' angle', entity_key));

create macro happens(purpose, entity_key, probability) as
uniform(purpose, entity_key) < probability;

-- 0 and more, with probability proportional to (1 - 1 / (1 + mean)) ^ n; no more than 30.
create macro geometric(u, mean) as
least(30, cast(floor(ln(1 - u) / ln(mean / (1 + mean))) as int));

-- The inverse of the distribution function, which ends at 5.
create macro poisson(u, rate) as
cast(u >= exp(-rate) as int)
+ cast(u >= exp(-rate) * (1 + rate) as int)
+ cast(u >= exp(-rate) * (1 + rate + rate ^ 2 / 2) as int)
+ cast(u >= exp(-rate) * (1 + rate + rate ^ 2 / 2 + rate ^ 3 / 6) as int)
+ cast(u >= exp(-rate) * (1 + rate + rate ^ 2 / 2 + rate ^ 3 / 6 + rate ^ 4 / 24) as int);

-- A rank from 0 to n - 1 with Zipf's law, by the inverse of its continuous form; exponent not 1.
create macro zipf_rank(u, n, exponent) as
least(n - 1, cast(
    floor(power(u * (power(n + 1, 1 - exponent) - 1) + 1, 1 / (1 - exponent))) - 1 as int
));

-- Uniform from 0 to n - 1.
create macro below(u, n) as least(n - 1, cast(floor(u * n) as int));

-- Midnight of a day of the simulation on the shop's clock, as UTC.
create macro midnight(day) as
getvariable('starts_on') + to_days(day) - to_hours(getvariable('utc_offset_hours'));
