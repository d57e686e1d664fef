/** Undoes what `clio.exporting.packing` does to lists so that they take little room. */

/** An object whose one key is the empty string; no answer of the API has such a key. */
type Packed = {
  "":
    | ["rows", string[], unknown[]]
    | ["decimals", number, (number | null)[]]
    | ["numbered", string, number[]];
};

const isPacked = (value: object): value is Packed => "" in value;

export function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== "object" || value === null) return value;
  if (!isPacked(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpack(one)]));
  }
  const packed = value[""];
  if (packed[0] === "decimals") {
    const [, exponent, digits] = packed;
    // By way of text: 12e-2 is the number nearest to 0.12, 12 * 1e-2 need not be.
    return digits.map((n) => (n === null ? null : Number(`${n}e${exponent}`)));
  }
  if (packed[0] === "numbered") {
    const [, beginning, differences] = packed;
    let number = 0;
    return differences.map((difference) => `${beginning}${(number += difference)}`);
  }
  const [, keys, columns] = packed;
  const unpacked = columns.map((column) => unpack(column) as unknown[]);
  return (unpacked[0] ?? []).map((_, i) =>
    Object.fromEntries(keys.map((key, j) => [key, unpacked[j]?.[i]])),
  );
}
