/* net-snmp's own library asking the bench's cards: GETs of the names given, SESSIONS at a time, as its manual has it.
 *
 *   netsnmp {2c|3} PORT SESSIONS REQUESTS USER AUTHKEY PRIVKEY ADDRESS... -- OID...
 *
 * Prints the CPU seconds that the requests took, after as many again to warm up.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#define MOST 128

static oid names[MOST][MAX_OID_LEN];
static size_t lengths[MOST];
static int count, left, flying;
static unsigned long sum;

static int ask(netsnmp_session *session);

static void take(netsnmp_pdu *reply)
{
    for (netsnmp_variable_list *each = reply->variables; each; each = each->next_variable)
        if (each->val.integer)
            sum += (unsigned long)*each->val.integer;
}

static int answered(int what, netsnmp_session *session, int id, netsnmp_pdu *reply, void *unused)
{
    (void)id;
    (void)unused;
    if (what != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || reply->errstat != SNMP_ERR_NOERROR) {
        fprintf(stderr, "netsnmp: no answer\n");
        exit(1);
    }
    take(reply);
    flying--;
    if (left > 0)
        return ask(session), 1;
    return 1;
}

static netsnmp_pdu *get(void)
{
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);
    for (int at = 0; at < count; at++)
        snmp_add_null_var(pdu, names[at], lengths[at]);
    return pdu;
}

static int ask(netsnmp_session *session)
{
    left--;
    flying++;
    if (!snmp_send(session, get())) {
        snmp_perror("netsnmp");
        exit(1);
    }
    return 1;
}

static void together(netsnmp_session **sessions, int many, int requests)
{
    left = requests;
    for (int at = 0; at < many && left > 0; at++)
        ask(sessions[at]);
    while (flying > 0) {
        int fds = 0, block = 1;
        fd_set readable;
        struct timeval wait;
        FD_ZERO(&readable);
        snmp_select_info(&fds, &readable, &wait, &block);
        if (select(fds, &readable, NULL, NULL, block ? NULL : &wait) > 0)
            snmp_read(&readable);
        else
            snmp_timeout();
    }
}

static void alone(netsnmp_session *session, int requests)
{
    for (int at = 0; at < requests; at++) {
        netsnmp_pdu *reply = NULL;
        if (snmp_synch_response(session, get(), &reply) != STAT_SUCCESS) {
            fprintf(stderr, "netsnmp: no answer\n");
            exit(1);
        }
        take(reply);
        snmp_free_pdu(reply);
    }
}

static netsnmp_session *opened(const char *version, char *peer, char **secrets)
{
    netsnmp_session session;
    snmp_sess_init(&session);
    session.peername = peer;
    session.timeout = 5000000L;
    session.callback = answered;
    if (strcmp(version, "3")) {
        session.version = SNMP_VERSION_2c;
        session.community = (u_char *)"public";
        session.community_len = 6;
    } else {
        session.version = SNMP_VERSION_3;
        session.securityName = secrets[0];
        session.securityNameLen = strlen(secrets[0]);
        session.securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
        session.securityAuthProto = usmHMACSHA1AuthProtocol;
        session.securityAuthProtoLen = USM_AUTH_PROTO_SHA_LEN;
        session.securityAuthKeyLen = USM_AUTH_KU_LEN;
        session.securityPrivProto = usmAESPrivProtocol;
        session.securityPrivProtoLen = USM_PRIV_PROTO_AES_LEN;
        session.securityPrivKeyLen = USM_PRIV_KU_LEN;
        generate_Ku(usmHMACSHA1AuthProtocol, USM_AUTH_PROTO_SHA_LEN, (u_char *)secrets[1], strlen(secrets[1]),
                    session.securityAuthKey, &session.securityAuthKeyLen);
        generate_Ku(usmHMACSHA1AuthProtocol, USM_AUTH_PROTO_SHA_LEN, (u_char *)secrets[2], strlen(secrets[2]),
                    session.securityPrivKey, &session.securityPrivKeyLen);
    }
    netsnmp_session *open = snmp_open(&session);
    if (!open) {
        snmp_sess_perror("netsnmp", &session);
        exit(1);
    }
    return open;
}

int main(int argc, char **argv)
{
    int many = atoi(argv[3]), requests = atoi(argv[4]), at = 8, session = 0;
    netsnmp_session *sessions[MOST];
    init_snmp("roundsman-bench");
    for (; at < argc && strcmp(argv[at], "--"); at++)
        if (session < many) {
            char peer[64];
            snprintf(peer, sizeof peer, "udp:%s:%s", argv[at], argv[2]);
            sessions[session++] = opened(argv[1], peer, argv + 5);
        }
    for (at++; at < argc && count < MOST; at++, count++) {
        lengths[count] = MAX_OID_LEN;
        if (!read_objid(argv[at], names[count], &lengths[count]))
            return 1;
    }
    clock_t began = 0;
    for (int turn = 0; turn < 2; turn++) { /* the first warms up */
        began = clock();
        if (many == 1)
            alone(sessions[0], requests);
        else
            together(sessions, many, requests);
    }
    printf("%.6f\n", (double)(clock() - began) / CLOCKS_PER_SEC);
    return sum == 0;
}
