/* The smallest service for an inetd: the connection is descriptor 0 and 1. It reads a request to its empty line and answers it. */
#include <string.h>
#include <unistd.h>

int main(void) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
    char request[4096];
    size_t length = 0;
    ssize_t got;
    while (length < sizeof request - 1 && (got = read(0, request + length, sizeof request - 1 - length)) > 0) {
        request[length += got] = 0;
        if (strstr(request, "\r\n\r\n"))
            return write(1, answer, sizeof answer - 1), 0; /* that the client has left is no failure of ours */
    }
    return 0; /* the client has left */
}
