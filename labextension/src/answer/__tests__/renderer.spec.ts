import { NotebookActions } from '@jupyterlab/notebook';
import { screen, within } from '@testing-library/dom';
import userEvent from '@testing-library/user-event';
import { axe, toHaveNoViolations } from 'jest-axe';

import type { AnswerCell } from '../../types';
import { STATE_WORDS } from '../header';
import type { AnswerRenderer } from '../renderer';
import { Bench, draw, FakeKernel, FakeNotebook, settled } from './bench';
import { answer, finding, rehearsed } from './examples';

jest.mock('@jupyterlab/notebook', () => ({ NotebookActions: { runCells: jest.fn() } }));
expect.extend(toHaveNoViolations);

const runCells = NotebookActions.runCells as jest.Mock;
let sights: ((seen: boolean) => void)[] = [];

beforeAll(() => {
  globalThis.IntersectionObserver = class {
    constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
      sights.push(isIntersecting => callback([{ isIntersecting }]));
    }
    observe() {}
    disconnect() {}
  } as unknown as typeof IntersectionObserver;
});
beforeEach(() => {
  document.body.replaceChildren();
  sights = [];
  runCells.mockReset().mockResolvedValue(true);
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

  test('tabs with nothing in them are not there', async () => {
    const bench = new Bench();
    const renderer = await bench.drawn(answer({ task: '', text: '', state: 'waiting' }));
    expect(tabs()).toEqual([]);
    await draw(renderer, answer({ task: '', kind: 'words' }));
    expect(tabs()).toEqual(['Answer']);
    await draw(renderer, answer({ findings: [finding()], rehearsal: rehearsed() }));
    expect(tabs()).toEqual(['Code', 'Findings (1)', 'Rehearsal', 'Trace']);
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
          refusals: [{ capability: 'network', what: 'connect to example.org' }],
          changes: kinds.map(kind => ({ name: `n_${kind}`, kind, type: 'int', detail: '+1' }))
        }),
        changes: [{ name: 'x', kind: 'created', type: 'int', detail: '' }]
      })
    );
    await user.click(screen.getByRole('tab', { name: 'Rehearsal' }));
    const panel = screen.getByRole('tabpanel');
    expect(panel).toHaveTextContent(
      'Rehearsed in 0.31 s, 1.2 MB of memory (locked-down): no error.'
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
        error: { type: html, message: html, line: 1, source: html, traceback: html },
        refusals: [{ capability: 'network', what: html }],
        changes: [{ name: html, kind: 'created', type: html, detail: html }]
      }),
      changes: [{ name: html, kind: 'created', type: html, detail: html }]
    });
    const bench = new Bench();
    bench.daemon.answers = {
      [cell.task]: {
        task: { created: 0 },
        records: [{ id: 1, at: 1, record: { type: 'decision', decision: html, why: html } }]
      },
      '/why': html
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
    const renderer = bench.renderer();
    await draw(renderer, cell);
    expect(screen.getByRole('tab', { selected: true })).toHaveTextContent('Findings');
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

describe('keys', () => {
  test('arrow keys, Home and End move between tabs', async () => {
    await new Bench().drawn(answer({ findings: [finding()], rehearsal: rehearsed() }));
    screen.getByRole('tab', { name: 'Code' }).focus();
    const selected = () => screen.getByRole('tab', { selected: true }).textContent;
    await user.keyboard('{ArrowRight}');
    expect(selected()).toBe('Findings (1)');
    await user.keyboard('{End}');
    expect(selected()).toBe('Trace');
    await user.keyboard('{ArrowRight}');
    expect(selected()).toBe('Code');
    await user.keyboard('{ArrowLeft}{ArrowLeft}');
    expect(selected()).toBe('Rehearsal');
    expect(screen.getByRole('tab', { selected: true })).toHaveFocus();
    expect(screen.getByRole('tabpanel')).toHaveAccessibleName('Rehearsal');
  });

  test('the toolbar is one stop, and arrow keys move in it', async () => {
    await new Bench().drawn(answer());
    const stops = within(screen.getByRole('toolbar'))
      .getAllByRole('button')
      .filter(one => one.tabIndex === 0);
    expect(stops).toEqual([button('Edit and run')]);
    stops[0].focus();
    await user.keyboard('{ArrowRight}');
    expect(button('Insert as cell')).toHaveFocus();
    await user.keyboard('{End}');
    expect(button('Why')).toHaveFocus();
  });
});

describe('buttons', () => {
  test('Run puts the code into a cell below and runs it', async () => {
    const bench = new Bench();
    await bench.drawn(answer({ state: 'shown' }));
    await user.click(button('Run'));
    expect(bench.notebook!.inserted).toEqual([{ index: 1, source: 'x = 1\nprint(x)' }]);
    const [notebook, cells, session] = runCells.mock.calls[0];
    expect(notebook).toBe(bench.notebook!.content);
    expect(cells).toEqual([bench.notebook!.content.widgets[1]]);
    expect(session).toBe(bench.notebook!.sessionContext);
  });

  test('Insert as cell does not run it', async () => {
    const bench = new Bench();
    await bench.drawn(answer());
    await user.click(button('Insert as cell'));
    expect(bench.notebook!.inserted).toHaveLength(1);
    expect(bench.notebook!.content.activeCellIndex).toBe(1);
    expect(runCells).not.toHaveBeenCalled();
  });

  test('Edit and run runs what was edited', async () => {
    const bench = new Bench();
    const renderer = await bench.drawn(answer());
    await user.click(button('Edit and run'));
    const editor = screen.getByRole('textbox', { name: 'Code to run' });
    expect(editor).toHaveFocus();
    expect(await axe(renderer.node)).toHaveNoViolations();
    await user.type(editor, '\ny = 2');
    await user.click(button('Run edited'));
    expect(bench.notebook!.inserted[0].source).toBe('x = 1\nprint(x)\ny = 2');
    expect(runCells).toHaveBeenCalledTimes(1);
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  test('Shift+Enter runs what was edited, Escape leaves it', async () => {
    const bench = new Bench();
    await bench.drawn(answer());
    await user.click(button('Edit and run'));
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('textbox')).toBeNull();
    await user.click(button('Edit and run'));
    await user.keyboard('{Shift>}{Enter}{/Shift}');
    expect(bench.notebook!.inserted).toHaveLength(1);
  });

  test('Undo asks the kernel, and shows what it said and the answer as it is then', async () => {
    const bench = new Bench();
    const cell = answer();
    const renderer = await bench.drawn(cell);
    const undone = { 'application/vnd.llmos.answer+json': { ...cell, state: 'undone' } };
    const { kernel } = bench.notebook!;
    kernel!.replies = [
      { type: 'stream', content: { text: 'Removed `x`.\n' } },
      { type: 'update_display_data', content: { data: undone, metadata: {} } },
      {
        type: 'update_display_data',
        content: { data: { 'text/plain': 'of others' }, metadata: {} }
      }
    ];
    await user.click(button('Undo'));
    await settled();
    expect(kernel!.requested).toEqual([
      { code: '%llmos undo 7', silent: false, store_history: false, stop_on_error: false }
    ]);
    expect(renderer.node).toHaveTextContent(/^undone.*Removed x\.$/);
  });

  test.each([
    ['AnswerFailed', 'Request 7 has nothing to undo.'],
    ['ModuleNotFoundError', 'ModuleNotFoundError: Request 7 has nothing to undo.']
  ])('an undo that raises %s is said', async (ename, said) => {
    const bench = new Bench();
    const { node } = await bench.drawn(answer());
    bench.notebook!.kernel!.replies = [
      { type: 'error', content: { ename, evalue: 'Request 7 has nothing to undo.' } }
    ];
    await user.click(button('Undo'));
    await settled();
    expect(node.querySelector('.jp-llmos-Answer-said')).toHaveTextContent(said);
  });

  test('a disabled button does nothing and says why', async () => {
    const bench = new Bench(new FakeNotebook(new FakeKernel('another')));
    await bench.drawn(answer());
    expect(button('Undo')).toHaveAttribute('aria-disabled', 'true');
    expect(button('Undo')).toHaveAttribute('title', expect.stringContaining('Another kernel'));
    await user.click(button('Undo'));
    expect(bench.notebook!.kernel!.requested).toEqual([]);
  });

  test('buttons follow the kernel', async () => {
    const bench = new Bench(new FakeNotebook(null));
    await bench.drawn(answer({ state: 'shown' }));
    expect(button('Run')).toHaveAttribute('aria-disabled', 'true');
    bench.notebook!.becomes(new FakeKernel());
    expect(button('Run')).not.toHaveAttribute('aria-disabled');
  });

  test('a thumb is given, and taken back', async () => {
    const bench = new Bench();
    const cell = answer();
    const { node } = await bench.drawn(cell);
    bench.daemon.answers = { '/feedback': { feedback: 'up' } };
    await user.click(button('Good answer'));
    expect(button('Good answer')).toHaveAttribute('aria-pressed', 'true');
    bench.daemon.answers = { '/feedback': { feedback: '' } };
    await user.click(button('Good answer'));
    expect(button('Good answer')).toHaveAttribute('aria-pressed', 'false');
    const path = `tasks/${cell.task}/feedback`;
    expect(bench.daemon.posted).toEqual([
      [path, { feedback: 'up' }],
      [path, { feedback: '' }]
    ]);
    bench.daemon.answers = {};
    await user.click(button('Bad answer'));
    expect(node).toHaveTextContent('No daemon is running.');
    expect(button('Bad answer')).toHaveAttribute('aria-pressed', 'false');
  });

  test('the thumb that was given is asked for when the user comes near', async () => {
    const bench = new Bench(new FakeNotebook(null));
    const cell = answer();
    bench.daemon.answers = { [cell.task]: { task: { feedback: 'down' } } };
    const { node } = await bench.drawn(cell);
    sights.forEach(sight => sight(true));
    expect(bench.daemon.got).toEqual([]);
    await user.hover(node);
    await settled();
    expect(bench.daemon.got).toEqual([`tasks/${cell.task}`]);
    expect(button('Bad answer')).toHaveAttribute('aria-pressed', 'true');
  });

  test('and already when it is in sight, where its kernel still is', async () => {
    const bench = new Bench();
    const cell = answer();
    bench.daemon.answers = { [cell.task]: { task: { feedback: 'up' } } };
    await bench.drawn(cell);
    sights.forEach(sight => sight(true));
    await settled();
    expect(button('Good answer')).toHaveAttribute('aria-pressed', 'true');
  });

  test('Stop cancels the task', async () => {
    const bench = new Bench();
    const cell = answer({ state: 'writing' });
    bench.daemon.answers = { '/cancel': {} };
    await bench.drawn(cell);
    bench.notebook!.cell.model.executionState = 'running';
    await user.click(button('Stop'));
    expect(bench.daemon.posted).toEqual([[`tasks/${cell.task}/cancel`, undefined]]);
    expect(bench.notebook!.kernel!.interrupt).not.toHaveBeenCalled();
  });

  test.each<[string, Partial<AnswerCell>, boolean, boolean]>([
    ["its code runs in the answer's own cell", { state: 'running' }, true, true],
    ['there is no task yet', { state: 'waiting', task: '' }, false, true],
    ['the daemon does not answer', { state: 'writing' }, false, true]
  ])('Stop interrupts the kernel where %s', async (_, known, answers, interrupts) => {
    const bench = new Bench();
    bench.daemon.answers = answers ? { '/cancel': {} } : {};
    await bench.drawn(answer(known));
    bench.notebook!.cell.model.executionState = 'running';
    await user.click(button('Stop'));
    await settled();
    expect(bench.notebook!.kernel!.interrupt).toHaveBeenCalledTimes(interrupts ? 1 : 0);
  });

  test('Stop does not interrupt what another cell runs', async () => {
    const bench = new Bench();
    bench.daemon.answers = { '/cancel': {} };
    await bench.drawn(answer({ state: 'running' }));
    await user.click(button('Stop'));
    await settled();
    expect(bench.notebook!.kernel!.interrupt).not.toHaveBeenCalled();
  });

  test('Why opens the trace, and says in one sentence what keeps it from being read', async () => {
    const bench = new Bench();
    const cell = answer();
    const renderer = await bench.drawn(cell);
    await user.click(button('Why'));
    await settled();
    expect(screen.getByRole('tab', { name: 'Trace' })).toHaveFocus();
    expect(screen.getByRole('tabpanel')).toHaveTextContent('No daemon is running.');
    bench.daemon.answers = {
      [cell.task]: {
        task: { created: 0 },
        records: [
          { id: 1, at: 1, record: { type: 'inspection', code: 'x', findings: [finding()] } }
        ]
      },
      '/why': '- qwen wrote.'
    };
    await user.click(screen.getByRole('tab', { name: 'Code' }));
    await user.click(button('Why'));
    await settled();
    expect(screen.getByRole('tabpanel')).toHaveTextContent(
      'qwen wrote.+1.0 s Inspection: 1 finding error: there is no name yCode'
    );
    expect(await axe(renderer.node)).toHaveNoViolations();
  });

  test('Confidence shades the code of all answers, and is remembered', async () => {
    const bench = new Bench();
    const renderer = await bench.drawn(answer({ confidence: [[1, 0.62]] }));
    const other = await bench.drawn(answer({ confidence: [[1, 0.5]] }));
    const toggle = within(renderer.node).getByRole('button', { name: 'Confidence' });
    expect(toggle).toHaveAttribute('aria-pressed', 'false');
    await user.click(toggle);
    expect(toggle).toHaveAttribute('aria-pressed', 'true');
    expect(within(renderer.node).getByTitle('62 %')).toHaveTextContent('x');
    expect(within(other.node).getByTitle('50 %')).toHaveTextContent('x');
    expect(await axe(renderer.node)).toHaveNoViolations();
  });

  test('there is no Confidence where the model tells none', async () => {
    await new Bench().drawn(answer());
    expect(screen.queryByRole('button', { name: 'Confidence' })).toBeNull();
  });

  test("outside a notebook there are only the daemon's buttons", async () => {
    await new Bench(null).drawn(answer());
    expect(
      within(screen.getByRole('toolbar'))
        .getAllByRole('button')
        .map(one => one.getAttribute('aria-label') ?? one.textContent)
    ).toEqual(['Good answer', 'Bad answer', 'Why']);
  });
});
