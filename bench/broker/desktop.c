/*
 * The desktops' side of the broker's bench. Prints its port; the first byte of a connection says what it does:
 * d sends without end, u only reads, G is a request and answered as a broker answers /qvd/ping, anything else
 * echoes.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 65536 };

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void undelay(int s) {
  int one = 1;
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* A request ends with an empty line; nobody here sends more than fits. */
static void answer_request(int s, char *bytes) {
  static const char alive[] =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nI am alive!\r\n";
  ssize_t got = 1, n;
  while (got < BLOCK - 1 && (n = read(s, bytes + got, BLOCK - 1 - got)) > 0) {
    got += n;
    bytes[got] = 0;
    if (strstr(bytes, "\r\n\r\n")) break;
  }
  if (write(s, alive, sizeof alive - 1) < 0) return;
  while (read(s, bytes, BLOCK) > 0) {
  }
}

static void *serve(void *arg) {
  int s = (int)(long)arg;
  static char block[BLOCK];
  char *own = malloc(BLOCK);
  undelay(s);
  ssize_t n = read(s, own, 1);
  if (n == 1 && own[0] == 'd')
    while (write(s, block, BLOCK) > 0) {
    }
  else if (n == 1 && own[0] == 'u')
    while (read(s, own, BLOCK) > 0) {
    }
  else if (n == 1 && own[0] == 'G')
    answer_request(s, own);
  else if (n == 1 && write(s, own, 1) == 1)
    while ((n = read(s, own, BLOCK)) > 0 && write(s, own, n) == n) {
    }
  close(s);
  free(own);
  return NULL;
}

static void start(int s) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 262144);
  if (pthread_create(&thread, &attributes, serve, (void *)(long)s)) die("thread");
  pthread_detach(thread);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof a;
  int s = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 4096)) die("listen");
  getsockname(s, (struct sockaddr *)&a, &length);
  printf("%d\n", ntohs(a.sin_port));
  fflush(stdout);
  for (;;) {
    int c = accept(s, NULL, NULL);
    if (c >= 0) start(c);
  }
}
