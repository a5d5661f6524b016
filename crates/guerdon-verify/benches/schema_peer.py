"""fastjsonschema on the corpus that `cargo bench --bench schema -- --dump CORPUS` writes.

python crates/guerdon-verify/benches/schema_peer.py CORPUS        (pip install fastjsonschema)
"""

import json
import sys
import time

import fastjsonschema


def rate(size, call):
    best = 0.0
    for _ in range(5):
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < 0.2:
            call()
            done += size
        best = max(best, done / (time.perf_counter() - start))
    return round(best)


def main():
    for line in open(sys.argv[1], encoding="utf-8"):
        row = json.loads(line)
        documents = row["documents"]
        texts = [json.dumps(document) for document in documents]
        schema = {"$schema": "http://json-schema.org/draft-07/schema#", **row["schema"]}
        validate = fastjsonschema.compile(schema)

        def holds(document):
            try:
                validate(document)
                return True
            except fastjsonschema.JsonSchemaException:
                return False

        print(
            json.dumps(
                {
                    "work": row["name"],
                    "documents": len(documents),
                    "valid": sum(map(holds, documents)),
                    "parsed_per_s": rate(len(documents), lambda: [holds(d) for d in documents]),
                    "with_parsing_per_s": rate(
                        len(documents), lambda: [holds(json.loads(t)) for t in texts]
                    ),
                }
            )
        )


main()
