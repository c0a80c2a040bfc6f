/** What this package is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version in package.json. */
export function packageVersion(): string {
  const description = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(description) as { version: string }).version;
}
