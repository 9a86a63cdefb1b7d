// What the configurations of nginx as the origin and as a proxy have in common. Thread: main.

const BODY_FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** Everything up to the inside of the http block. Connections are kept without a limit of requests. */
export function nginxPreamble(folder: string, workers: number): string {
  // Started by root, its workers would become a user that may not read the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off; ${user}
worker_processes ${workers};
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
${BODY_FOLDERS.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}`;
}
