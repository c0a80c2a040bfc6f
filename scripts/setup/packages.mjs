// The npm packages: installed again if node_modules does not fit package-lock.json.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from './steps.mjs';

/** Runs `npm ci` if it is needed. */
export async function installPackages({ root, announce }) {
  const why = whatIsMissing(root);
  if (why === undefined) return undefined;
  announce(`${why}, installing …`);
  const npm = npmCommand();
  const call = (args) => run(npm.command, [...npm.args, ...args, ...npmOptions], { cwd: root, shell: npm.shell });
  try {
    await call(['ci']);
  } catch (error) {
    // A registry that does not carry the packages of every other platform: `npm ci` refuses, `npm install` leaves them
    // out.
    if (!/Missing: \S+@ from lock file/.test(error.output)) throw error;
    announce('the registry lacks packages of other platforms, installing without them …');
    await call(['install', '--no-save']);
  }
  return 'installed';
}

/** No package here needs its install script: the native ones come as prebuilt optional packages. */
const npmOptions = ['--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];

/** The remedy for a failure, by npm's output. */
export function packagesNote(output) {
  if (/EBADENGINE/.test(output)) return ['use a newer Node.js'];
  if (/in sync/.test(output)) return ['package.json and package-lock.json differ: run npm install'];
  return ['check that the npm registry can be reached (npm ping), and run the command again'];
}

/** The npm that runs this script; on its own, the one on PATH. */
function npmCommand() {
  const cli = process.env.npm_execpath;
  if (cli !== undefined && /^npm-cli\.c?js$/.test(basename(cli))) {
    return { command: process.execPath, args: [cli], shell: false };
  }
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

/**
 * Why node_modules does not fit package-lock.json, in words; `undefined` if it fits. npm leaves a list of what it
 * installed as the last file it writes, so an interrupted install does not fit.
 */
export function whatIsMissing(root) {
  if (!existsSync(join(root, 'node_modules'))) return 'no node_modules yet';
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'node_modules is incomplete';
  const wanted = packagesIn(join(root, 'package-lock.json'));
  if (wanted === undefined) throw new Error('package-lock.json is missing or cannot be read');
  for (const [path, { version }] of Object.entries(installed)) {
    if (wanted[path]?.version !== version) return `node_modules differs from package-lock.json (${path})`;
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (path !== '' && !(path in installed) && isNeeded(entry)) return `${path} is missing`;
  }
  return undefined;
}

/** Optional packages of other platforms are left out; which C library this one has is not known here. */
function isNeeded(entry) {
  if (entry.optional !== true) return true;
  const fits = (list, name) => list?.includes(name) === true;
  return fits(entry.os, process.platform) && fits(entry.cpu, process.arch) && entry.libc === undefined;
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
