/** The server's clock: times that the daemon tells are by it, and the browser's may be off. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

export class Clock {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Seconds since the epoch, now; by the browser's clock until the server has told its own. */
  now(): number {
    this.asked ??= this.ask();
    return Date.now() / 1000 + this.offset;
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
    }
  }

  private asked: Promise<void> | undefined;
  private offset = 0;
}
