-- SPDX-License-Identifier: MIT
-- What programs ask of SQLite, bounded by its data: the script behind sqlite3.trace.zst.
-- Tables, indexes, joins, aggregates, text, triggers, updates and deletes; random() is not used, so that
-- each run allocates alike.
PRAGMA foreign_keys = ON;

CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, born INTEGER);
CREATE TABLE book (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES author(id),
                   title TEXT NOT NULL, year INTEGER, price REAL, note TEXT);
CREATE TABLE loan (id INTEGER PRIMARY KEY, book INTEGER NOT NULL REFERENCES book(id), reader TEXT, days INTEGER);
CREATE TABLE journal (at INTEGER PRIMARY KEY, what TEXT);
CREATE INDEX book_author ON book(author, year);
CREATE INDEX book_title ON book(title COLLATE NOCASE);
CREATE INDEX loan_book ON loan(book);
CREATE TRIGGER book_priced AFTER UPDATE OF price ON book BEGIN
    INSERT INTO journal(what) VALUES (printf('book %d: %.2f to %.2f', old.id, old.price, new.price));
END;

BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
INSERT INTO author SELECT i, printf('%s %s %d', substr('ArenaBlockCountFieldFrame', 1 + i % 5 * 5, 5),
                                    substr('HeapsLocksPoolsRootsSlots', 1 + i / 5 % 5 * 5, 5), i), 1900 + i * 7 % 100 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
INSERT INTO book SELECT i, 1 + i * 37 % 400, printf('On %s, volume %d', hex(i * 7919 % 65536), i % 12),
                        1950 + i * 13 % 75, 3 + i * 31 % 8700 / 100.0,
                        CASE WHEN i % 5 = 0 THEN replace(hex(zeroblob(i % 90)), '00', 'note ') END FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 18000)
INSERT INTO loan SELECT i, 1 + i * 53 % 12000, 'reader ' || (i * 17 % 300), 1 + i * 11 % 40 FROM n;
COMMIT;
ANALYZE;

.mode list
SELECT a.name, count(*), round(avg(b.price), 2), sum(l.days > 28) FROM author a JOIN book b ON b.author = a.id
    LEFT JOIN loan l ON l.book = b.id GROUP BY a.id ORDER BY 2 DESC, 1 LIMIT 20;
SELECT upper(substr(title, 4, 4)) AS head, group_concat(year, ' ') FROM book WHERE title LIKE 'on a%' GROUP BY head ORDER BY head;
SELECT year, price, rank() OVER (PARTITION BY year ORDER BY price DESC) AS place FROM book WHERE price > 60 ORDER BY year, place, price;
SELECT reader, json_group_array(book) FROM loan WHERE days > 35 GROUP BY reader ORDER BY reader;
SELECT b.title FROM book b WHERE NOT EXISTS (SELECT 1 FROM loan l WHERE l.book = b.id) ORDER BY length(b.title), b.title;

UPDATE book SET price = round(price * 1.1, 2) WHERE year > 1990 AND id % 3 = 0;
DELETE FROM loan WHERE days < 5;
INSERT OR REPLACE INTO author SELECT id + 1000, name || ' the younger', born + 30 FROM author WHERE id % 4 = 0;
CREATE VIEW late AS SELECT l.reader, b.title, a.name, l.days - 28 AS over FROM loan l JOIN book b ON b.id = l.book
    JOIN author a ON a.id = b.author WHERE l.days > 28;
SELECT reader, count(*), max(over) FROM late GROUP BY reader HAVING count(*) > 3 ORDER BY 2 DESC, 1;
SELECT count(*), max(length(what)) FROM journal;
VACUUM;
PRAGMA integrity_check;
