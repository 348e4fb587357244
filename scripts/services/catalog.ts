/** A server that integration tests need, under every name it goes by. */
export interface Service {
  /** The program to run. */
  readonly program: string;
  /** Its package for apt (Debian, Ubuntu). */
  readonly apt: string;
  readonly brew: string;
  readonly docker: string;
}

export type ServiceName = 'nginx' | 'redis' | 'chromium';

/** PostgreSQL is not here: it comes from the npm registry. */
export const SERVICES: Readonly<Record<ServiceName, Service>> = {
  nginx: { program: 'nginx', apt: 'nginx', brew: 'nginx', docker: 'nginx' },
  redis: { program: 'redis-server', apt: 'redis-server', brew: 'redis', docker: 'redis' },
  chromium: {
    program: 'chromium-headless-shell',
    apt: 'chromium-headless-shell',
    brew: 'chromium',
    docker: 'chromedp/headless-shell',
  },
};
