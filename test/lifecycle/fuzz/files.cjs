// Opens and reads array files that were damaged at random, for a while. Each must be read, or refused as bad data.
//
//   node files.cjs <dist> <folder of real files> <seed> <milliseconds> <scratch folder>
//
// The damaged file stays in the scratch folder: after a crash it is the case. The last line printed is JSON:
// { files, refused, wrong }.
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { extname, join } = require('node:path');
const { choices } = require('./choices.cjs');

const [dist, folder, seedText, milliseconds, scratch] = process.argv.slice(2);
const torch = require(join(dist, 'index.js'));
const { openArray } = require(join(dist, 'evaluate', 'files', 'open.js'));

const { below, pick, uniform } = choices(seedText);

const names = readdirSync(folder).filter((name) => /\.(npy|npz|safetensors)$/.test(name));
const originals = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));

/** Numbers that headers may not expect, as bytes. */
const hostile = [0, 1, 0x7f, 0x80, 0xff, 0x28, 0x2d, 0x39, 0x7b, 0x22];

function damaged(bytes) {
  let made = Buffer.from(bytes);
  for (let times = below(4); times > 0; times--) {
    // Most of what there is to break stands at the beginning, and of archives at the end.
    const near = pick([made.length, Math.min(made.length, 128), 64]);
    const at = Math.min(Math.max(0, uniform() < 0.2 ? made.length - 1 - below(128) : below(near)), made.length);
    switch (below(6)) {
      case 0:
        made[at] = pick(hostile);
        break;
      case 1:
        made[at] = (made[at] ?? 0) ^ (1 << below(8));
        break;
      case 2:
        made = made.subarray(0, at);
        break;
      case 3:
        made = Buffer.concat([made.subarray(0, at), Buffer.from([pick(hostile)]), made.subarray(at)]);
        break;
      case 4:
        made = Buffer.concat([made.subarray(0, at), made.subarray(at + 1 + below(8))]);
        break;
      default:
        made = Buffer.concat([made.subarray(0, at), pick([...originals.values()]).subarray(below(64), 64 + below(64))]);
    }
  }
  return made;
}

async function main() {
  const until = Date.now() + Number(milliseconds);
  const wrong = [];
  let [files, refused] = [0, 0];
  for (; Date.now() < until; files++) {
    const name = pick(names);
    const path = join(scratch, `damaged${extname(name)}`);
    writeFileSync(path, damaged(originals.get(name)));
    let source;
    try {
      source = await openArray(path);
      // A header may claim any number of rows of nothing.
      for (let reads = 0; reads < 100; reads++) {
        const rows = await source.read(pick([1, 3, 1000]));
        if (rows === undefined) break;
        rows.sum();
        rows.dispose();
      }
    } catch (error) {
      refused += 1;
      if (!(error instanceof torch.TorchError) || error.code !== 'BAD_DATA') wrong.push(String(error?.stack ?? error));
    } finally {
      source?.close();
    }
  }
  return { files, refused, wrong: wrong.slice(0, 5) };
}

main().then((found) => process.stdout.write(`${JSON.stringify(found)}\n`));
