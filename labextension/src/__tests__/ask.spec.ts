import { Notification } from '@jupyterlab/apputils';
import {
  type Notebook,
  NotebookModel,
  type NotebookPanel,
  setCellExecutor
} from '@jupyterlab/notebook';
import { NBTestUtils } from '@jupyterlab/notebook/lib/testutils';

import { askWithCell, asRequest, isRequest } from '../ask';

let notebook: Notebook;
/** The texts of the cells that ran, and what the kernel was asked beside them. */
let ran: string[];
let asked: string[];
let said: string[];
/** What the kernel answers to being asked to load the extension. */
let reply: { status: string; ename?: string; evalue?: string };

const kernel = {
  requestExecute: ({ code }: { code: string }) => {
    asked.push(code);
    return { done: Promise.resolve({ content: reply }) };
  }
};

function panel(withKernel = true): NotebookPanel {
  const sessionContext = {
    ready: Promise.resolve(),
    session: withKernel ? { kernel } : null
  };
  return { content: notebook, sessionContext } as unknown as NotebookPanel;
}

function cells(...given: ['code' | 'markdown' | 'raw', string][]): void {
  const model = new NotebookModel();
  model.sharedModel.insertCells(
    0,
    given.map(([cell_type, source]) => ({ cell_type, source, metadata: {} }))
  );
  notebook = NBTestUtils.createNotebook();
  notebook.model = model;
  notebook.activeCellIndex = 0;
}

function sources(): [string, string][] {
  return notebook.widgets.map(cell => [cell.model.type, cell.model.sharedModel.getSource()]);
}

beforeAll(() => {
  setCellExecutor({
    runCell: async ({ cell }) => {
      ran.push(cell.model.sharedModel.getSource());
      return true;
    }
  });
});

beforeEach(() => {
  ran = [];
  asked = [];
  said = [];
  reply = { status: 'ok' };
  jest.spyOn(console, 'warn').mockImplementation(() => undefined); // Yjs of cells on their way into a notebook
  for (const kind of ['warning', 'error'] as const) {
    jest.spyOn(Notification, kind).mockImplementation((...given: unknown[]) => {
      said.push(String(given[0]));
      return '';
    });
  }
});

afterEach(() => jest.restoreAllMocks());

describe('asRequest', () => {
  it('puts the magic before the text, but not twice', () => {
    expect(asRequest('plot sales')).toBe('%%llmos\nplot sales');
    expect(asRequest('%%llmos\nplot sales')).toBe('%%llmos\nplot sales');
    expect(asRequest('\n%%llmos --mode ask\nplot')).toBe('\n%%llmos --mode ask\nplot');
  });

  it('takes no other magic for it', () => {
    expect(isRequest('%%llmosaic')).toBe(false);
    expect(isRequest('%llmos status')).toBe(false);
  });
});

describe('askWithCell', () => {
  it.each(['markdown', 'raw'] as const)(
    'turns a %s cell into a request and runs it',
    async kind => {
      cells([kind, '# Plot *sales* by month'], ['code', 'x = 1']);
      await askWithCell(panel());
      expect(sources()).toEqual([
        ['code', '%%llmos\n# Plot *sales* by month'],
        ['code', 'x = 1']
      ]);
      expect(asked).toEqual(['%load_ext llmos_jupyter']);
      expect(ran).toEqual(['%%llmos\n# Plot *sales* by month']);
      expect(said).toEqual([]);
    }
  );

  it('turns only the active cell, whatever else is selected', async () => {
    cells(['markdown', 'one'], ['markdown', 'two'], ['markdown', 'three']);
    notebook.extendContiguousSelectionTo(2);
    await askWithCell(panel());
    expect(sources()).toEqual([
      ['markdown', 'one'],
      ['markdown', 'two'],
      ['code', '%%llmos\nthree']
    ]);
    expect(ran).toEqual(['%%llmos\nthree']);
  });

  it('does not write the magic twice', async () => {
    cells(['markdown', '%%llmos\nplot']);
    await askWithCell(panel());
    expect(sources()).toEqual([['code', '%%llmos\nplot']]);
  });

  it('runs a code cell that is a request as it is', async () => {
    cells(['code', '%%llmos --mode show\nplot']);
    await askWithCell(panel());
    expect(ran).toEqual(['%%llmos --mode show\nplot']);
  });

  it.each([
    ['another code cell', ['code', 'x = 1'], /code cell/],
    ['an empty cell', ['markdown', '  \n'], /empty/]
  ] as const)('leaves %s alone and says why', async (_name, cell, sentence) => {
    cells([...cell]);
    const before = sources();
    await askWithCell(panel());
    expect(sources()).toEqual(before);
    expect(ran).toEqual([]);
    expect(said).toEqual([expect.stringMatching(sentence)]);
  });

  it('leaves a read-only cell alone', async () => {
    cells(['markdown', 'plot']);
    notebook.activeCell!.model.setMetadata('editable', false);
    await askWithCell(panel());
    expect(sources()).toEqual([['markdown', 'plot']]);
    expect(said).toEqual([expect.stringMatching(/read-only/)]);
  });

  it('leaves the cell alone when there is no kernel', async () => {
    cells(['markdown', 'plot']);
    await askWithCell(panel(false));
    expect(sources()).toEqual([['markdown', 'plot']]);
    expect(said).toEqual([expect.stringMatching(/no kernel/)]);
  });

  it('leaves the cell alone when the kernel cannot load the extension', async () => {
    reply = {
      status: 'error',
      ename: 'ModuleNotFoundError',
      evalue: "No module named 'llmos_jupyter'"
    };
    cells(['markdown', 'plot']);
    await askWithCell(panel());
    expect(sources()).toEqual([['markdown', 'plot']]);
    expect(said).toEqual([
      expect.stringMatching(/cannot load llmos_jupyter \(ModuleNotFoundError/)
    ]);
  });
});
