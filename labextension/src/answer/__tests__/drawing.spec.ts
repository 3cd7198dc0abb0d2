import { screen, within } from '@testing-library/dom';
import userEvent from '@testing-library/user-event';
import { axe, toHaveNoViolations } from 'jest-axe';

import type { AnswerCell } from '../../types';
import { STATE_WORDS } from '../header';
import type { AnswerRenderer } from '../renderer';
import { Bench, draw, settled } from './bench';
import { answer, finding, fold, line, rehearsed, story } from './examples';

jest.mock('@jupyterlab/notebook', () => ({ NotebookActions: { runCells: jest.fn() } }));
expect.extend(toHaveNoViolations);

beforeEach(() => {
  document.body.replaceChildren();
});

const button = (name: string) => screen.getByRole('button', { name });
const tabs = () => screen.queryAllByRole('tab').map(tab => tab.textContent);
const code = (renderer: AnswerRenderer) => renderer.node.querySelector('pre code')!;
const user = userEvent.setup();

describe('what is drawn', () => {
  test.each(Object.entries(STATE_WORDS))('the state %s', async (state, word) => {
    const renderer = await new Bench().drawn(answer({ state: state as AnswerCell['state'] }));
    const header = renderer.node.querySelector('.jp-llmos-Answer-header')!;
    expect(header).toHaveTextContent(new RegExp(`^${word.replace(/[()]/g, '.')}`));
    expect(header).toHaveAttribute('role', 'status');
    expect(header.querySelector('svg path, svg circle')).not.toBeNull();
    expect(header).toHaveTextContent(/qwen.*cpu.*first token 0.84 s.*12.3 tokens\/s.*request 7/);
    expect(await axe(renderer.node)).toHaveNoViolations();
  });

  test('what running code prints, until it has ended', async () => {
    const bench = new Bench();
    const cell = answer({ state: 'running', doing: 'for 3 s', printed: 'epoch 1\n<b>2</b>' });
    const renderer = await bench.drawn(cell);
    expect(renderer.node).toHaveTextContent(/^running *for 3 s/);
    const printed = screen.getByRole('group', { name: 'What it has printed so far' });
    expect(printed.textContent).toBe('epoch 1\n<b>2</b>');
    expect(await axe(renderer.node)).toHaveNoViolations();
    await draw(renderer, { ...cell, state: 'stopped' });
    expect(screen.queryByRole('group', { name: 'What it has printed so far' })).toBeNull();
  });

  test('attempts are told from the second on', async () => {
    const bench = new Bench();
    expect((await bench.drawn(answer())).node).not.toHaveTextContent('attempt');
    expect((await bench.drawn(answer({ attempts: 3 }))).node).toHaveTextContent('3 attempts');
  });

  test('a place in the queue, and a countdown by the clock', async () => {
    jest.useFakeTimers({ doNotFake: ['setTimeout'] });
    try {
      const bench = new Bench();
      const { node } = await bench.drawn(
        answer({ state: 'waiting', text: '', ahead: 2, starts: 1075 })
      );
      expect(node).toHaveTextContent('2 before it');
      expect(node).toHaveTextContent('starts in 1 min 15 s');
      bench.now += 70;
      jest.advanceTimersByTime(1000);
      await settled();
      expect(node).toHaveTextContent('starts in 5 s');
      bench.now += 10;
      jest.advanceTimersByTime(1000);
      await settled();
      expect(node).toHaveTextContent('starts any moment');
    } finally {
      jest.useRealTimers();
    }
  });

  describe('code that goes on below what is seen', () => {
    const long = `a = 1${'\n'.repeat(120)}open('x', 'w')`;
    const heights = { scrollHeight: 2420, clientHeight: 420 };

    beforeEach(() => {
      for (const [name, height] of Object.entries(heights)) {
        jest
          .spyOn(HTMLElement.prototype, name as 'scrollHeight' | 'clientHeight', 'get')
          .mockReturnValue(height);
      }
    });
    afterEach(() => jest.restoreAllMocks());

    test('says so', async () => {
      const renderer = await new Bench().drawn(answer({ text: long, state: 'shown' }));
      const box = renderer.node.querySelector('pre')!;
      expect(box).toHaveAccessibleDescription('100 more lines below');
      expect(await axe(renderer.node)).toHaveNoViolations();
      box.scrollTop = 1000;
      box.dispatchEvent(new Event('scroll', { bubbles: true }));
      await settled();
      expect(box).toHaveAccessibleDescription('50 more lines below');
      box.scrollTop = 2000;
      box.dispatchEvent(new Event('scroll', { bubbles: true }));
      await settled();
      expect(box).toHaveAccessibleDescription('end of the code (121 lines)');
    });
  });

  test('code that is in sight says nothing', async () => {
    const { node } = await new Bench().drawn(answer());
    expect(node.querySelector('pre')).not.toHaveAttribute('aria-describedby');
    expect(node).not.toHaveTextContent('more line');
  });

  test('tabs with nothing in them are not there', async () => {
    const bench = new Bench();
    const renderer = await bench.drawn(answer({ task: '', text: '', state: 'waiting' }));
    expect(tabs()).toEqual([]);
    await draw(renderer, answer({ task: '', kind: 'words' }));
    expect(tabs()).toEqual(['Answer']);
    await draw(renderer, answer({ findings: [finding()], rehearsal: rehearsed() }));
    expect(tabs()).toEqual(['Code', 'Findings (1)', 'Sandbox', 'Trace']);
  });

  test('findings with icon and word', async () => {
    const all = (['error', 'warning', 'note'] as const).map(severity => finding({ severity }));
    const renderer = await new Bench().drawn(answer({ findings: all }));
    await user.click(screen.getByRole('tab', { name: 'Findings (3)' }));
    const points = within(screen.getByRole('tabpanel')).getAllByRole('listitem');
    expect(points.map(point => point.textContent)).toEqual(
      ['error', 'warning', 'note'].map(word => `${word} line 2: there is no name y`)
    );
    expect(points.every(point => point.querySelector('svg'))).toBe(true);
    expect(await axe(renderer.node)).toHaveNoViolations();
  });

  test('a rehearsal, and beside it what the run did', async () => {
    const kinds = ['created', 'rebound', 'mutated', 'deleted'] as const;
    const renderer = await new Bench().drawn(
      answer({
        rehearsal: rehearsed({
          doubts: ['it has no rows'],
          refusals: [
            {
              capability: 'network',
              what: 'connect to example.org',
              target: 'example.org',
              system_call: ''
            }
          ],
          changes: kinds.map(kind => ({ name: `n_${kind}`, kind, type: 'int', detail: '+1' }))
        }),
        changes: [{ name: 'x', kind: 'created', type: 'int', detail: '' }]
      })
    );
    await user.click(screen.getByRole('tab', { name: 'Sandbox' }));
    const panel = screen.getByRole('tabpanel');
    expect(panel).toHaveTextContent(
      'Tried in the sandbox in 0.31 s, 1.2 MB of memory (locked-down): no error.'
    );
    expect(panel).toHaveTextContent('network: connect to example.org');
    expect(panel).toHaveTextContent('it has no rows');
    const [foreseen, did] = within(panel).getAllByRole('table');
    expect(
      within(foreseen)
        .getAllByRole('row')
        .map(row => row.textContent)
    ).toEqual([
      'NameWhatTypeDetail',
      'n_createdcreatedint+1',
      'n_reboundreplacedint+1',
      'n_mutatedchangedint+1',
      'n_deleteddeletedint+1'
    ]);
    expect(did).toHaveTextContent('xcreatedint');
    expect(await axe(renderer.node)).toHaveNoViolations();
  });

  test('HTML is text, wherever it stands', async () => {
    const html = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    const cell = answer({
      state: 'waiting',
      doing: html,
      text: html,
      model: html,
      device: html,
      ahead: 1,
      notes: [html, `\`${html}\``],
      findings: [finding({ message: html, suggestions: [html] })],
      rehearsal: rehearsed({
        status: 'failed',
        reason: html,
        confinement: html,
        output: html,
        doubts: [html],
        error: {
          type: html,
          message: html,
          line: 1,
          source: html,
          traceback: html,
          values: [html],
          function: html,
          unknown: null
        },
        refusals: [{ capability: 'network', what: html, target: html, system_call: html }],
        changes: [{ name: html, kind: 'created', type: html, detail: html }]
      }),
      changes: [{ name: html, kind: 'created', type: html, detail: html }]
    });
    const bench = new Bench();
    bench.daemon.answers = {
      '/story': story({
        why: [html],
        lines: [line({ what: html, facts: [html], folds: [fold({ title: html, text: html })] })]
      })
    };
    const { node } = await bench.drawn(cell);
    for (const tab of screen.getAllByRole('tab')) {
      await user.click(tab);
      await settled();
      expect(node.querySelector('img, script')).toBeNull();
      expect(screen.getByRole('tabpanel').textContent).toContain(html);
    }
    expect(node.querySelector('.jp-llmos-Answer-header')!.textContent).toContain(html);
    expect(node.querySelectorAll('.jp-llmos-Answer-notes li')[1].innerHTML).toContain('<code>&lt;');
  });

  test('words are rendered, and sanitised', async () => {
    const text = '<b>bold</b><script>window.hacked=1</script><img src=x onerror="window.hacked=1">';
    const { node } = await new Bench().drawn(answer({ kind: 'words', text }));
    const words = node.querySelector('.jp-llmos-Answer-words')!;
    expect(words.querySelector('b')).toHaveTextContent('bold');
    expect(words.querySelector('script, [onerror]')).toBeNull();
    expect(words).toHaveAttribute('dir', 'auto');
  });

  test('of words that come fast the last is shown', async () => {
    const bench = new Bench();
    const cell = answer({ kind: 'words', state: 'writing', text: 'a' });
    const renderer = await bench.drawn(cell);
    void draw(renderer, { ...cell, text: 'a b' });
    void draw(renderer, { ...cell, text: 'a b c' });
    await draw(renderer, { ...cell, text: 'a b c d' });
    expect(renderer.node.querySelector('.jp-llmos-Answer-words')).toHaveTextContent('a b c d');
  });

  test('text that is read from right to left finds its own direction', async () => {
    const rtl = 'שלום עולם';
    const { node } = await new Bench().drawn(
      answer({ notes: [rtl], findings: [finding({ message: rtl })] })
    );
    expect(within(node).getByText(rtl)).toHaveAttribute('dir', 'auto');
    await user.click(screen.getByRole('tab', { name: 'Findings (1)' }));
    expect(within(screen.getByRole('tabpanel')).getByText(rtl)).toHaveAttribute('dir', 'auto');
  });

  test('a million characters are cut until all are wanted', async () => {
    const text = 'value = 1\n'.repeat(110_000);
    const renderer = await new Bench().drawn(answer({ text }));
    expect(code(renderer).textContent).toHaveLength(200_000);
    expect(code(renderer).childNodes.length).toBeLessThan(1000);
    await user.click(button('Show all (1.1 MB)'));
    expect(code(renderer).textContent).toBe(text);
    expect(screen.queryByRole('button', { name: /Show all/ })).toBeNull();
  });
});

describe('data that is no answer of this version', () => {
  test.each([{ version: 2 }, null, 'x', { version: 1, state: 'new', text: 1 }])(
    '%p: the Markdown beside it is shown',
    async data => {
      const { node } = await new Bench().drawn(data, { 'text/markdown': '<i>beside</i>' });
      expect(node.querySelector('i')).toHaveTextContent('beside');
    }
  );

  test('without Markdown the plain text, then its own', async () => {
    const bench = new Bench();
    const plain = await bench.drawn({ version: 2, text: 'own' }, { 'text/plain': '<b>plain</b>' });
    expect(plain.node).toHaveTextContent('<b>plain</b>');
    expect((await bench.drawn({ version: 2, text: '<b>own</b>' })).node).toHaveTextContent(
      '<b>own</b>'
    );
    expect((await bench.drawn(undefined)).node.querySelector('pre')).toHaveTextContent('');
  });
});

describe('updates', () => {
  test('the chosen tab, the focus and what is drawn stay', async () => {
    const bench = new Bench();
    const cell = answer({ state: 'writing', text: 'import a', findings: [finding()] });
    const renderer = await bench.drawn(cell);
    const first = code(renderer).firstChild;
    await draw(renderer, { ...cell, text: 'import a, b' });
    expect(code(renderer).firstChild).toBe(first);
    expect(code(renderer)).toHaveTextContent('import a, b');
    await user.click(screen.getByRole('tab', { name: 'Findings (1)' }));
    const tab = screen.getByRole('tab', { selected: true });
    await draw(renderer, { ...cell, state: 'done', text: 'import a, b, c' });
    expect(screen.getByRole('tab', { selected: true })).toBe(tab);
    expect(tab).toHaveTextContent('Findings');
    expect(tab).toHaveFocus();
  });

  test('a new renderer of the same task has the tab, the editor and the focus of the old', async () => {
    const bench = new Bench();
    const cell = answer({ findings: [finding()] });
    const old = await bench.drawn(cell);
    await user.click(screen.getByRole('tab', { name: 'Findings (1)' }));
    await user.click(button('Edit and run'));
    await user.type(screen.getByRole('textbox'), ' # mine');
    screen.getByRole('tab', { name: 'Findings (1)' }).focus();
    old.dispose();
    await bench.drawn(cell);
    expect(screen.getByRole('tab', { selected: true })).toHaveTextContent('Findings');
    expect(screen.getByRole('tab', { selected: true })).toHaveFocus();
    expect(screen.getByRole('textbox')).toHaveValue(`${cell.text} # mine`);
  });

  test('a tab that was chosen before the task had an identifier stays', async () => {
    const bench = new Bench();
    const cell = answer({ findings: [finding()] });
    const renderer = await bench.drawn({ ...cell, task: '' });
    await user.click(screen.getByRole('tab', { name: 'Findings (1)' }));
    await draw(renderer, cell);
    expect(screen.getByRole('tab', { selected: true })).toHaveTextContent('Findings');
  });

  test('a button that is gone hands its focus on', async () => {
    const bench = new Bench();
    const cell = answer({ state: 'running' });
    const renderer = await bench.drawn(cell);
    button('Stop').focus();
    await draw(renderer, { ...cell, state: 'done' });
    expect(screen.getByRole('toolbar')).toContainElement(document.activeElement as HTMLElement);
  });

  test('an answer in the making stops when its kernel goes', async () => {
    const bench = new Bench();
    const { node } = await bench.drawn(answer({ state: 'running' }));
    bench.notebook!.sessionContext.statusChanged.emit('restarting');
    expect(node).toHaveTextContent(/^stopped/);
  });
});
