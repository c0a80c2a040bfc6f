/** A wheel's RECORD: a line for each file with its path, SHA-256 and size, as defined by Python's packaging standard. */

/** The entry of a file in RECORD. */
export interface RecordedFile {
  /** SHA-256 in base64url without padding; `undefined` for files without one (RECORD itself). */
  sha256: string | undefined;
  size: number | undefined;
}

/** The entries of a RECORD by file path. */
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

/** The fields of a line of CSV: paths with a comma are quoted, and quotes in them are doubled. */
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
