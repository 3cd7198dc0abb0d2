/** The server's clock: times that the daemon tells are by it, and the browser's may be off. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

export class Clock {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Seconds since the epoch, now; null until the server has told. */
  now(): number | null {
    this.asked ??= this.ask();
    return this.offset === null ? null : Date.now() / 1000 + this.offset;
  }

  private async ask(): Promise<void> {
    try {
      const url = URLExt.join(this.settings.baseUrl, 'api');
      const response = await ServerConnection.makeRequest(
        url,
        { cache: 'no-store' },
        this.settings
      );
      const told = Date.parse(response.headers.get('Date') ?? '') / 1000;
      const offset = told - Date.now() / 1000;
      // It tells whole seconds: less than two apart is no difference.
      this.offset = Math.abs(offset) >= 2 ? offset : 0;
    } catch {
      // Not told: the browser's clock has to do.
      this.offset = 0;
    }
  }

  private asked: Promise<void> | undefined;
  private offset: number | null = null;
}
