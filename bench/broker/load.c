/*
 * Load for the broker's bench: the clients' side, as cheap as can be, so that what is measured is the relay
 * between it and desktop.c. Blocking sockets, a thread each.
 *
 *   load client PORT WAY N SECONDS [HEAD_FILE [AT_ONCE]]
 *                                    N connections over TLS 1.3 (AES-128-GCM, X25519); HEAD_FILE is sent first
 *                                    and the answer read to the end of a 101. WAY: down, up, echo, idle.
 *                                    Prints "begun" when all are connected and warm, then
 *                                    "ended BYTES SECONDS" or, for echo, "ended P50_US P99_US COUNT";
 *                                    idle waits for the end of its standard input. WAY work: N people who each
 *                                    send something twenty times a second, and wait for it; ends as echo does.
 *                                    WAY connect: N at a time come, ask /qvd/ping, and leave with the answer;
 *                                    "ended COUNT SECONDS". WAY sign: N a second sign in, HEAD_FILE has a line
 *                                    for each, the value of their Authorization, in turn; with SECONDS 0 until
 *                                    standard input ends; "ended ADMITTED TOLD_TO_WAIT LATE", which weren't begun
 *                                    because AT_ONCE were under way.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 65536, MESSAGE = 64, MOST_SAMPLES = 4000000, MOST_PEOPLE = 1000 };
static int most_at_once = 24;

static atomic_long carried;
static atomic_int warm, is_over;
static char head[262144];
static size_t head_length;
static const char *way;
static int port;
static double samples[MOST_SAMPLES];
static SSL_CTX *context;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void undelay(int s) {
  int one = 1;
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void start(void *(*run)(void *), void *arg, pthread_t *thread) {
  pthread_attr_t attributes;
  pthread_t unused;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 262144);
  if (pthread_create(thread ? thread : &unused, &attributes, run, arg)) die("thread");
  if (!thread) pthread_detach(unused);
}

static void send_all(SSL *ssl, const char *bytes, int length) {
  if (SSL_write(ssl, bytes, length) != length && !is_over) die("write");
}

/* Reads up to the blank line after the 101; nothing follows it, as the client speaks first. */
static void await_switch(SSL *ssl) {
  char answer[4096];
  int got = 0;
  for (;;) {
    int n = SSL_read(ssl, answer + got, sizeof answer - 1 - got);
    if (n <= 0) die("no 101");
    got += n;
    answer[got] = 0;
    char *found = strstr(answer, "HTTP/1.1 101");
    if (found && strstr(found, "\r\n\r\n")) return;
  }
}

static SSL *connect_tls(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int s = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(s, (struct sockaddr *)&a, sizeof a)) die("connect");
  undelay(s);
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, s);
  if (SSL_connect(ssl) != 1) die("handshake");
  return ssl;
}

static SSL *connect_client(int number) {
  SSL *ssl = connect_tls();
  if (head_length) {
    /* Each connection asks for a desktop of its own: the head's NNNN is replaced. */
    char own[8192 + 16], *mark, *end;
    if (head_length >= 8192) die("too long a head");
    memcpy(own, head, head_length + 1);
    mark = strstr(own, "NNNN");
    if (mark) {
      char digits[16];
      snprintf(digits, sizeof digits, "%d", number + 1);
      end = mark + 4;
      memmove(mark + strlen(digits), end, strlen(end) + 1);
      memcpy(mark, digits, strlen(digits));
    }
    send_all(ssl, own, strlen(own));
    await_switch(ssl);
  }
  return ssl;
}

static void echo(SSL *ssl, long *count, int is_kept) {
  char message[MESSAGE] = {'e'};
  double begun = now();
  send_all(ssl, message, MESSAGE);
  for (int got = 0; got < MESSAGE;) {
    int n = SSL_read(ssl, message + got, MESSAGE - got);
    if (n <= 0) die("echo");
    got += n;
  }
  if (is_kept && *count < MOST_SAMPLES) samples[(*count)++] = (now() - begun) * 1e6;
}

static void *run_stream(void *arg) {
  SSL *ssl = connect_client((int)(long)arg);
  char *block = calloc(1, BLOCK);
  int n;
  block[0] = *way;
  send_all(ssl, block, *way == 'd' ? 1 : BLOCK);
  if (*way == 'd') SSL_read(ssl, block, BLOCK);
  warm++;
  while (!is_over) {
    n = *way == 'd' ? SSL_read(ssl, block, BLOCK) : SSL_write(ssl, block, BLOCK);
    if (n <= 0) break;
    carried += n;
  }
  return NULL;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void say(const char *text) {
  puts(text);
  fflush(stdout);
}

static void run_echo(double seconds) {
  SSL *ssl = connect_client(0);
  long count = 0;
  for (int i = 0; i < 2000; i++) echo(ssl, &count, 0);
  say("begun");
  double until = now() + seconds;
  while (now() < until) echo(ssl, &count, 1);
  qsort(samples, count, sizeof *samples, ascending);
  printf("ended %.2f %.2f %ld\n", samples[count / 2], samples[count * 99 / 100], count);
}

/* The samples of all people, in one row: each takes the next place. */
static atomic_long taken;

static void *run_person(void *arg) {
  /* Desktops of their own, beside those of the idle. */
  SSL *ssl = connect_client((int)(long)arg + 4000);
  long none = 0;
  char message[MESSAGE] = "e";
  echo(ssl, &none, 0);
  warm++;
  /* Not all in step. */
  usleep((long)arg % 50 * 1000);
  while (!is_over) {
    double sent = now();
    if (SSL_write(ssl, message, MESSAGE) != MESSAGE) break;
    for (int got = 0; got < MESSAGE;) {
      int n = SSL_read(ssl, message, MESSAGE - got);
      if (n <= 0) return NULL;
      got += n;
    }
    if (is_over) break;
    long place = taken++;
    if (place < MOST_SAMPLES) samples[place] = (now() - sent) * 1e6;
    usleep(50000);
  }
  return NULL;
}

static void run_work(int streams, double seconds) {
  for (long i = 0; i < streams; i++) start(run_person, (void *)i, NULL);
  while (warm < streams) usleep(1000);
  usleep(200000);
  taken = 0;
  say("begun");
  usleep(seconds * 1e6);
  is_over = 1;
  long count = taken < MOST_SAMPLES ? taken : MOST_SAMPLES;
  usleep(100000);
  qsort(samples, count, sizeof *samples, ascending);
  printf("ended %.2f %.2f %ld\n", samples[count / 2], samples[count * 99 / 100], count);
}

static void run_idle(int streams) {
  for (int i = 0; i < streams; i++) {
    long none = 0;
    echo(connect_client(i), &none, 0);
  }
  say("begun");
  while (getchar() != EOF) {
  }
}

static void run_bulk(int streams, double seconds) {
  pthread_t thread;
  for (long i = 0; i < streams; i++) start(run_stream, (void *)i, &thread);
  while (warm < streams) usleep(1000);
  usleep(200000);
  say("begun");
  double begun = now();
  long before = carried;
  usleep(seconds * 1e6);
  long after = carried;
  printf("ended %ld %.4f\n", after - before, now() - begun);
  is_over = 1;
}

static void leave(SSL *ssl) {
  int s = SSL_get_fd(ssl);
  SSL_shutdown(ssl);
  SSL_free(ssl);
  close(s);
}

/* Reads an answer to the end of its body; its status, 0 when it didn't come whole. */
static int read_answer(SSL *ssl) {
  char answer[8192], *body, *length;
  int got = 0, n;
  while (got < (int)sizeof answer - 1 && (n = SSL_read(ssl, answer + got, sizeof answer - 1 - got)) > 0) {
    got += n;
    answer[got] = 0;
    if (!(body = strstr(answer, "\r\n\r\n")) || !(length = strstr(answer, "Content-Length: "))) continue;
    if (answer + got - body - 4 >= atoi(length + 16)) return atoi(answer + 9);
  }
  return 0;
}

static void *visit(void *arg) {
  static const char ping[] = "GET /qvd/ping HTTP/1.1\r\n\r\n";
  (void)arg;
  while (!is_over) {
    SSL *ssl = connect_tls();
    send_all(ssl, ping, sizeof ping - 1);
    if (read_answer(ssl) != 200 && !is_over) die("no answer to a ping");
    leave(ssl);
    carried++;
    warm = 1;
  }
  return NULL;
}

static void run_connect(int streams, double seconds) {
  for (long i = 0; i < streams; i++) start(visit, (void *)i, NULL);
  while (carried < 200) usleep(1000);
  say("begun");
  double begun = now();
  long before = carried;
  usleep(seconds * 1e6);
  printf("ended %ld %.4f\n", carried - before, now() - begun);
  is_over = 1;
}

static char *people[MOST_PEOPLE];
static int people_count;
static atomic_long admitted, refused, late, under_way;

static void *sign_in(void *arg) {
  char request[2048];
  int length = snprintf(request, sizeof request, "GET /qvd/list_of_vm? HTTP/1.1\r\nAuthorization: %s\r\n\r\n",
                        (char *)arg);
  SSL *ssl = connect_tls();
  send_all(ssl, request, length);
  int status = read_answer(ssl);
  if (status == 200) admitted++;
  else if (status == 503) refused++;
  else if (!is_over) {
    fprintf(stderr, "a sign-in was answered by %d\n", status);
    exit(1);
  }
  leave(ssl);
  under_way--;
  return NULL;
}

static void *wait_for_end(void *arg) {
  while (getchar() != EOF) {
  }
  is_over = 1;
  return arg;
}

/* By the clock, whatever has become of those before: who is slow is not spared. */
static void run_sign(int rate, double seconds) {
  char *rest = head;
  while (people_count < MOST_PEOPLE && (people[people_count] = strsep(&rest, "\n")) && *people[people_count])
    people_count++;
  if (people_count == 0) die("nobody to sign in");
  if (seconds == 0) start(wait_for_end, NULL, NULL);
  say("begun");
  double begun = now();
  for (long i = 0; !is_over && (seconds == 0 || now() < begun + seconds); i++) {
    double due = begun + (double)i / rate - now();
    if (due > 0) usleep(due * 1e6);
    if (under_way >= most_at_once) {
      late++;
      continue;
    }
    under_way++;
    start(sign_in, people[i % people_count], NULL);
  }
  is_over = 1;
  printf("ended %ld %ld %ld\n", admitted, refused, late);
}

static void read_head(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) die(path);
  head_length = fread(head, 1, sizeof head - 1, file);
  fclose(file);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc < 6) return 2;
  port = atoi(argv[2]);
  way = argv[3];
  if (argc > 6) read_head(argv[6]);
  if (argc > 7) most_at_once = atoi(argv[7]);
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set1_groups_list(context, "X25519");
  if (*way == 'e') run_echo(atof(argv[5]));
  else if (*way == 'i') run_idle(atoi(argv[4]));
  else if (*way == 'c') run_connect(atoi(argv[4]), atof(argv[5]));
  else if (*way == 's') run_sign(atoi(argv[4]), atof(argv[5]));
  else if (*way == 'w') run_work(atoi(argv[4]), atof(argv[5]));
  else run_bulk(atoi(argv[4]), atof(argv[5]));
  fflush(stdout);
  _exit(0);
}
