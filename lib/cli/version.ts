/** What this package is. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The directory of this package. */
export const packageRoot = resolve(__dirname, '..', '..');

/** What package.json says, as far as the command line tells of it. */
export interface PackageDescription {
  version: string;
  engines: { node: string };
}

/** What package.json says. */
export function packageDescription(): PackageDescription {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as PackageDescription;
}

/** The version in package.json. */
export function packageVersion(): string {
  return packageDescription().version;
}
