// What an agent is told by the registry's surface /swarm/v1: bundles of images with tickets, and enrolments. All of it
// is read to its end; of a bundle nothing is taken but an image whose hashes are those of its descriptor.
#include "agent/bundle_answer.hpp"
#include "agent/node_credentials.hpp"
#include "core/bytes.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/net/image_verifier.hpp"
#include "swarm/ticket/ticket_verifier.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace entrepot;

void demand(bool holds)
{
    if (!holds) std::abort();
}

// As AgentImage does, but for the disk.
void check_image(const BundleAnswer& answer)
{
    auto descriptor = ImageDescriptor::parse(as_bytes(answer.descriptor));
    if (!descriptor) return;
    const auto list = parse_hash_list(as_bytes(answer.hashes));
    if (!list) return;
    const auto fits = list->size() == descriptor->layout().chunks();
    const auto verifier = ImageVerifier::of(*std::move(descriptor), *list);
    if (!verifier) return;
    demand(fits && encode_hash_list(*list) == answer.hashes);
    if (list->empty()) return;
    auto other = *list;
    other.back().bytes.front() ^= 1U;
    demand(!ImageVerifier::of(verifier->descriptor(), other).has_value());
}

// The length of the ticket's text, the ticket's text, and the body.
void check_bundle(std::string_view input)
{
    const auto split =
        std::min<std::size_t>(static_cast<unsigned char>(input.empty() ? 0 : input.front()), input.size());
    const auto ticket = input.substr(std::min<std::size_t>(1, input.size())).substr(0, split);
    const auto body = input.substr(std::min(input.size(), 1 + ticket.size()));
    const auto unchanged = read_bundle(304, ticket, body);
    const auto answer = read_bundle(200, ticket, body);
    if (unchanged) demand(unchanged->descriptor.empty() && unchanged->hashes.empty());
    if (!answer) return demand(answer.error().code() == Errc::bad_request);
    demand(answer->descriptor.size() + answer->hashes.size() + 4 == body.size());
    demand(body.ends_with(answer->descriptor + answer->hashes));
    demand(unchanged && unchanged->ticket == answer->ticket);
    // The verifier trusts no key.
    demand(!TicketVerifier{}.check(as_bytes(answer->ticket), TicketAsk{}, 0).has_value());
    check_image(*answer);
}

void check_enrolment(std::string_view json)
{
    if (const auto moved = moved_enrolment({.certificate = "kept"}, json, "registry"))
        demand(moved->control_port != 0 && !moved->control_host.empty() && moved->certificate == "kept");
    const auto read = parse_enrolment(json, "registry");
    if (!read) return demand(read.error().code() == Errc::bad_request);
    demand(read->control_port != 0 && !read->control_host.empty());
    const auto again = parse_enrolment(enrolment_json(*read), "another");
    demand(again && *again == *read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    if (input.empty()) return 0;
    if (input.front() == '{') {
        check_enrolment(input);
    } else {
        check_bundle(input.substr(1));
    }
    return 0;
}
