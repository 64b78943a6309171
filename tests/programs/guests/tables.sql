-- tables.sql - indexes, joins, aggregates, recursion, a virtual table.
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, size REAL);
CREATE TABLE part (item INTEGER, child INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)
INSERT INTO item SELECT i, printf('item %04x', i * 7919 % 65536), i / 7.0 FROM n;
INSERT INTO part SELECT id, id * 2 FROM item WHERE id * 2 <= 1000;
INSERT INTO part SELECT id, id * 2 + 1 FROM item WHERE id * 2 + 1 <= 1000;
CREATE INDEX by_name ON item (name);
CREATE INDEX by_child ON part (child);
SELECT count(*), sum(size), max(name), group_concat(id % 7) FROM item
    WHERE name BETWEEN 'item 1000' AND 'item 1400';
WITH RECURSIVE below(id, depth) AS (
    VALUES (5, 0) UNION ALL
    SELECT child, depth + 1 FROM part JOIN below ON part.item = below.id)
SELECT depth, count(*), round(sum(size), 3) FROM below JOIN item USING (id)
    GROUP BY depth;
UPDATE item SET name = upper(replace(name, 'item', 'thing')) WHERE id % 3 = 0;
DELETE FROM item WHERE id % 5 = 0;
SELECT substr(name, 1, 7) AS prefix, count(*), avg(size) FROM item
    GROUP BY prefix HAVING count(*) > 20 ORDER BY 2 DESC, 1 LIMIT 12;
SELECT id, name, row_number() OVER (PARTITION BY id % 10 ORDER BY name) AS r
    FROM item ORDER BY r DESC, id LIMIT 5;
EXPLAIN QUERY PLAN SELECT * FROM item WHERE name = 'x';
PRAGMA integrity_check;
SELECT hex(zeroblob(4)), json_extract('{"a":[1,{"b":"c"}]}', '$.a[1].b');
SELECT * FROM missing;
