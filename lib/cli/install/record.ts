/** A wheel's RECORD: one line a file with its path, SHA-256 and size, as the packaging standard defines it. */

/** What RECORD says of one file. */
export interface RecordedFile {
  /** SHA-256 in base64url without padding; `undefined` for files that have none (RECORD itself). */
  sha256: string | undefined;
  size: number | undefined;
}

/** The lines of a RECORD by file path. */
export function parseRecord(text: string): Map<string, RecordedFile> {
  const files = new Map<string, RecordedFile>();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const [path = '', hash = '', size = ''] = csvFields(line);
    const sha256 = /^sha256=([\w-]+)$/.exec(hash)?.[1];
    files.set(path, { sha256, size: /^\d+$/.test(size) ? Number(size) : undefined });
  }
  return files;
}

/** The fields of one line of CSV: paths with a comma are quoted, and a quote within is doubled. */
function csvFields(line: string): string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/gy;
  while (field.lastIndex < line.length) {
    const match = field.exec(line);
    if (match === null) break;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  }
  return fields;
}
