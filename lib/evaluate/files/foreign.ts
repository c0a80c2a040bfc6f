/** Files of other formats and places: what makes a readable file of them. `$` stands for their name. */
import { extname } from 'node:path';
import { shellWord } from '../../output/shell';

const formats: readonly (readonly [extensions: readonly string[], what: string, inPython: string])[] = [
  [['.pt', '.pth', '.ckpt'], 'a file of torch.save', 'torch.load("$", map_location="cpu").numpy()'],
  [['.pkl', '.pickle'], 'a pickle', 'numpy.load("$", allow_pickle=True)'],
  [['.csv'], 'text', 'numpy.loadtxt("$", delimiter=",", dtype="float32")'],
  [['.tsv', '.txt'], 'text', 'numpy.loadtxt("$", dtype="float32")'],
  [['.json'], 'text', 'numpy.array(json.load(open("$")), dtype="float32")'],
  [['.jsonl', '.ndjson'], 'text', 'numpy.array([json.loads(row) for row in open("$")], dtype="float32")'],
  [['.parquet', '.pq'], 'Parquet', 'numpy.stack(pandas.read_parquet("$")["scores"])'],
  [['.arrow', '.feather'], 'Arrow', 'numpy.stack(pandas.read_feather("$")["scores"])'],
  [['.h5', '.hdf5'], 'HDF5', 'h5py.File("$")["scores"][:]'],
  [['.mat'], 'a file of MATLAB', 'scipy.io.loadmat("$")["scores"]'],
];

const unpackers: Readonly<Record<string, string>> = {
  '.gz': 'gunzip --keep',
  '.zst': 'unzstd',
  '.bz2': 'bunzip2 --keep',
  '.xz': 'unxz --keep',
};

const downloads: Readonly<Record<string, string>> = {
  http: 'curl -LO $',
  https: 'curl -LO $',
  s3: 'aws s3 cp $ .',
  gs: 'gcloud storage cp $ .',
};

/** What a file of such a name is, and the command that makes one of it that can be read; `undefined` for other names. */
export function foreignFormat(path: string): string | undefined {
  const extension = extname(path).toLowerCase();
  const unpacker = Object.hasOwn(unpackers, extension) ? unpackers[extension] : undefined;
  if (unpacker !== undefined) return `is compressed; unpack it first: ${unpacker} ${shellWord(path)}`;
  const known = formats.find(([extensions]) => extensions.includes(extension));
  if (known === undefined) return undefined;
  const [, what, inPython] = known;
  const name = (text: string): string => text.replace(/["\\]/g, '\\$&');
  const array = inPython.replace('$', () => name(path));
  const saved = name(`${path.slice(0, -extension.length)}.npy`);
  return `is ${what}, not .npy, .npz or .safetensors; in Python: numpy.save("${saved}", ${array})`;
}

/** What to do with an address; `undefined` for a path. */
export function foreignPlace(spec: string): string | undefined {
  const [, scheme] = /^([a-z][a-z\d+.-]+):\/\//i.exec(spec) ?? [];
  if (scheme === undefined) return undefined;
  const download = Object.hasOwn(downloads, scheme.toLowerCase()) ? downloads[scheme.toLowerCase()] : undefined;
  const hint = download === undefined ? '' : `; download it first: ${download.replace('$', () => shellWord(spec))}`;
  return `is an address, not a file${hint}`;
}
