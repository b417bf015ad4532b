// How long @node-rs/argon2 takes for a hash: asked by benchmarks/report/passwords.py,
// in a folder whose node_modules has the package.
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.cwd()}/`));
const { hashSync, Algorithm } = require("@node-rs/argon2");
const asked = JSON.parse(process.argv[2]);
const options = {
  algorithm: Algorithm?.Argon2id ?? 2,
  memoryCost: asked.memory_cost,
  timeCost: asked.time_cost,
  parallelism: asked.parallelism,
};

let hash = hashSync(asked.password, options);
const milliseconds = [];
for (let round = 0; round < asked.rounds; round += 1) {
  const started = performance.now();
  hash = hashSync(asked.password, options);
  milliseconds.push(performance.now() - started);
}
console.log(JSON.stringify({ hash, milliseconds }));
