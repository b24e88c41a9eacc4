#include "drivers/syslog/syslog_sink.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(Syslog, frames_a_record_as_rfc_5424_with_its_length_before_it)
{
    const AuditMessage message{
        .at = 1'790'000'000'123'456, .operation = "create", .ok = true, .json = R"({"n":1,"user":"Zoë"})"
    };
    const auto frame = syslog_frame(message, "first.example");
    const auto space = frame.find(' ');
    EXPECT_EQ(std::stoul(frame.substr(0, space)), frame.size() - space - 1);
    EXPECT_EQ(
        frame.substr(space + 1),
        "<109>1 " + rfc3339(message.at).substr(0, 19) + ".123456Z first.example entrepot - create - " +
            std::string{message.json}
    );
}

TEST(Syslog, warns_of_what_was_denied_and_keeps_header_fields_plain)
{
    const AuditMessage message{.at = 0, .operation = "two words\n", .ok = false, .json = "{}"};
    EXPECT_NE(
        syslog_frame(message, "").find(" <108>1 1970-01-01T00:00:00.000000Z - entrepot - two_words_ - {}"),
        std::string::npos
    );
}

TEST(Syslog, targets_are_host_and_port_with_a_scheme)
{
    const auto plain = parse_syslog_target("tcp://logs.example.org:514");
    ASSERT_TRUE(plain);
    EXPECT_FALSE(plain->tls);
    EXPECT_EQ(plain->host, "logs.example.org");
    EXPECT_EQ(plain->port, "514");
    const auto address = parse_syslog_target("tls://[2001:db8::1]:6514");
    ASSERT_TRUE(address);
    EXPECT_TRUE(address->tls);
    EXPECT_EQ(address->host, "2001:db8::1");
    for (const auto* wrong :
         {"",
          "logs:514",
          "udp://logs:514",
          "tcp://logs",
          "tcp://:514",
          "tcp://logs:",
          "tcp://a/b:1",
          "tcp://logs:port",
          "tls://user@logs:1"}) {
        EXPECT_FALSE(parse_syslog_target(wrong)) << wrong;
    }
}

TEST(Syslog, a_server_that_is_not_there_is_a_failure_within_the_patience)
{
    auto target = *parse_syslog_target("tcp://127.0.0.1:1");
    SyslogSink sink{target};
    const AuditMessage message{.at = 0, .operation = "create", .ok = true, .json = "{}"};
    const auto sent = sink.send(std::span{&message, 1});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code(), Errc::unavailable);
}

TEST(Syslog, a_ca_file_that_can_not_be_read_is_told_at_start)
{
    auto target = *parse_syslog_target("tls://127.0.0.1:1");
    target.ca_file = "/nonexistent.pem";
    EXPECT_THROW(SyslogSink{target}, std::runtime_error);
}

}  // namespace
}  // namespace entrepot
