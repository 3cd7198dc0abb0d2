/** Where the model was unsure: its probabilities laid over the highlighted code. */

/** A part of the code with its highlighting; `className` is empty where there is none. */
export interface Token {
  text: string;
  className: string;
}

/** A part of the code as it is drawn; `probability` is null where the model tells none. */
export interface Piece extends Token {
  probability: number | null;
}

/** Runs as they come, (length, probability), from the text's beginning. Lengths count characters as Python does: an
 * emoji is one, and two of JavaScript's. */
export type Runs = readonly (readonly [number, number])[];

/** The code's pieces, each of one colour and one probability. Together they are the tokens' text, whatever the runs
 * add up to: what lies beyond them has no probability. */
export function pieces(tokens: readonly Token[], runs: Runs): Piece[] {
  const text = tokens.map(token => token.text).join('');
  const ends = runEnds(text, runs);
  const found: Piece[] = [];
  let run = 0;
  let at = 0;
  for (const token of tokens) {
    let from = 0;
    while (from < token.text.length) {
      while (run < ends.length && ends[run] <= at) {
        run += 1;
      }
      const length = Math.min(token.text.length - from, (ends[run] ?? Infinity) - at);
      found.push({
        text: token.text.slice(from, from + length),
        className: token.className,
        probability: run < ends.length ? runs[run][1] : null
      });
      from += length;
      at += length;
    }
  }
  return found;
}

/** Where each run ends, in JavaScript's characters; runs beyond the text are left out. */
function runEnds(text: string, runs: Runs): number[] {
  const ends: number[] = [];
  let at = 0;
  for (const [length] of runs) {
    if (at >= text.length) {
      break;
    }
    for (let i = 0; i < length && at < text.length; i++) {
      at += text.codePointAt(at)! > 0xffff ? 2 : 1;
    }
    ends.push(at);
  }
  return ends;
}
