import { CodeBlock, PLAIN_ABOVE } from '../codeblock';
import { pieces, type Runs, type Token } from '../confidence';

const tokens: Token[] = [
  { text: 'def', className: 'k' },
  { text: ' ', className: '' },
  { text: 'mean', className: 'f' }
];
const text = 'def mean';

const probabilities = (runs: Runs, of = tokens) =>
  pieces(of, runs).map(piece => [piece.text, piece.probability]);

describe('pieces', () => {
  test('runs and colours are divided where either changes', () => {
    expect(
      pieces(tokens, [
        [2, 0.9],
        [4, 0.5],
        [2, 0.1]
      ])
    ).toEqual([
      { text: 'de', className: 'k', probability: 0.9 },
      { text: 'f', className: 'k', probability: 0.5 },
      { text: ' ', className: '', probability: 0.5 },
      { text: 'me', className: 'f', probability: 0.5 },
      { text: 'an', className: 'f', probability: 0.1 }
    ]);
  });

  test('what lies beyond the runs has no probability', () => {
    expect(probabilities([[3, 0.5]])).toEqual([
      ['def', 0.5],
      [' ', null],
      ['mean', null]
    ]);
  });

  test.each<[string, Runs]>([
    ['none', []],
    ['too short', [[1, 0.5]]],
    [
      'too long',
      [
        [5, 0.5],
        [400, 0.1]
      ]
    ],
    [
      'empty ones',
      [
        [0, 0.1],
        [3, 0.5],
        [0, 0.2],
        [5, 0.3]
      ]
    ]
  ])('runs that do not add up (%s) leave the text as it is', (_, runs) => {
    expect(
      pieces(tokens, runs)
        .map(piece => piece.text)
        .join('')
    ).toBe(text);
  });

  test('lengths count characters as Python does', () => {
    const emoji = [
      { text: '"🙂" ', className: '' },
      { text: 'x', className: 'v' }
    ];
    expect(
      probabilities(
        [
          [3, 0.9],
          [1, 0.5],
          [1, 0.1]
        ],
        emoji
      )
    ).toEqual([
      ['"🙂"', 0.9],
      [' ', 0.5],
      ['x', 0.1]
    ]);
  });
});

describe('CodeBlock', () => {
  const coloured = (code: string): Promise<Token[]> =>
    Promise.resolve(
      (code.match(/\w+|\W+/g) ?? []).map(part => ({
        text: part,
        className: /\w/.test(part) ? 'word' : ''
      }))
    );

  test('what is drawn stays while more is written', async () => {
    const host = document.createElement('code');
    const block = new CodeBlock(host, coloured);
    await block.show('import pandas as', []);
    const first = Array.from(host.childNodes).slice(0, 3);
    await block.show('import pandas as pd\n', []);
    expect(host.textContent).toBe('import pandas as pd\n');
    expect(Array.from(host.childNodes).slice(0, 3)).toEqual(first);
    expect(host.firstChild).toBe(first[0]);
  });

  test('colours that come late do not overwrite newer code', async () => {
    const waiting: (() => void)[] = [];
    const host = document.createElement('code');
    const block = new CodeBlock(host, async code => {
      await new Promise<void>(resolve => waiting.push(resolve));
      return coloured(code);
    });
    const first = block.show('a = 1', []);
    const second = block.show('a = 12', []);
    waiting[1]();
    await second;
    waiting[0]();
    await first;
    expect(host.textContent).toBe('a = 12');
  });

  test('shading comes and goes with the colours', async () => {
    const host = document.createElement('code');
    const block = new CodeBlock(host, coloured);
    await block.show('x = 1', [
      [1, 0.62],
      [4, 1]
    ]);
    const shaded = host.firstChild as HTMLElement;
    expect(shaded.title).toBe('62 %');
    expect(shaded).toHaveClass('word', 'jp-llmos-Answer-shade');
    expect(shaded.style.getPropertyValue('--jp-llmos-doubt')).toBe('0.380');
    await block.show('x = 1', []);
    expect(host.querySelector('.jp-llmos-Answer-shade')).toBeNull();
    expect(host.querySelectorAll('.word')).toHaveLength(2);
  });

  test('long code is drawn without colours, in parts, and whole', async () => {
    const host = document.createElement('code');
    const code = 'x = "<b>"\n'.repeat(PLAIN_ABOVE / 10 + 1);
    await new CodeBlock(host, () => Promise.reject(new Error('not asked'))).show(code, [[3, 0.5]]);
    expect(host.textContent).toBe(code);
    expect(host.querySelectorAll('b, .jp-llmos-Answer-shade')).toHaveLength(0);
    expect(host.childNodes.length).toBeGreaterThan(50);
  });
});
