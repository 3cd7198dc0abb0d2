/** Code that is drawn while it is written: what is on screen stays, and only what is new is added. */
import { pieces, type Piece, type Runs, type Token } from './confidence';

/** Colours code. */
export type Highlight = (code: string) => Promise<Token[]>;

/** Characters above which code is drawn without colours and shades. */
export const PLAIN_ABOVE = 200_000;
/** Lines of plain code that a browser lays out together, and only when they are looked at. */
const LINES_TOGETHER = 200;

export class CodeBlock {
  constructor(
    private readonly host: HTMLElement,
    private readonly highlight: Highlight
  ) {}

  /** Draw this code; resolves when it is coloured. `plain`: without colours and shades, whatever its length. */
  async show(code: string, runs: Runs, plain = code.length > PLAIN_ABOVE): Promise<void> {
    if (code === this.code && runs === this.runs) {
      return;
    }
    const same = code === this.code;
    this.code = code;
    this.runs = runs;
    if (plain) {
      this.tokens = chunks(code);
      this.draw(this.tokens.map(token => ({ ...token, probability: null })));
      return;
    }
    if (!same) {
      // At once, with the old colours as far as they hold; then in colour.
      this.tokens = kept(this.tokens, code);
    }
    this.draw(pieces(this.tokens, runs));
    if (same) {
      return;
    }
    const tokens = await this.highlight(code);
    if (this.code === code) {
      this.tokens = tokens;
      this.draw(pieces(tokens, this.runs));
    }
  }

  private draw(wanted: Piece[]): void {
    const drawn = this.drawn;
    let same = 0;
    while (same < drawn.length && same < wanted.length && alike(drawn[same], wanted[same])) {
      same += 1;
    }
    while (this.host.childNodes.length > same) {
      this.host.lastChild!.remove();
    }
    const added = document.createDocumentFragment();
    for (const piece of wanted.slice(same)) {
      added.append(node(piece));
    }
    this.host.append(added);
    this.drawn = wanted;
  }

  private code = '';
  private runs: Runs = [];
  private tokens: Token[] = [];
  private drawn: Piece[] = [];
}

/** Old tokens as far as the new code begins with them, and the rest without colour. */
function kept(tokens: readonly Token[], code: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (const token of tokens) {
    if (!code.startsWith(token.text, at)) {
      break;
    }
    found.push(token);
    at += token.text.length;
  }
  if (at < code.length) {
    found.push({ text: code.slice(at), className: '' });
  }
  return found;
}

function alike(a: Piece, b: Piece): boolean {
  return a.text === b.text && a.className === b.className && a.probability === b.probability;
}

function node(piece: Piece): Node {
  if (!piece.className && piece.probability === null) {
    return document.createTextNode(piece.text);
  }
  const span = document.createElement('span');
  span.textContent = piece.text;
  span.className = piece.className;
  if (piece.probability !== null) {
    span.classList.add('jp-llmos-Answer-shade');
    span.title = `${Math.round(100 * piece.probability)} %`;
    span.style.setProperty('--jp-llmos-doubt', (1 - piece.probability).toFixed(3));
  }
  return span;
}

/** Long code in parts that end with a line. */
function chunks(code: string): Token[] {
  const found: Token[] = [];
  let from = 0;
  while (from < code.length) {
    let to = from;
    for (let line = 0; line < LINES_TOGETHER && to < code.length; line++) {
      const end = code.indexOf('\n', to);
      to = end < 0 ? code.length : end + 1;
    }
    found.push({ text: code.slice(from, to), className: 'jp-llmos-Answer-chunk' });
    from = to;
  }
  return found;
}
