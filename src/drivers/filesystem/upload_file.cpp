#include "drivers/filesystem/upload_file.hpp"

#include "drivers/filesystem/open_uploads.hpp"

#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace entrepot {
namespace {

// Written pages are handed to the device this early, so that the sync at the end finds little left to do.
constexpr std::uint64_t writeback_step = 8 << 20;
// After this many chunks a job goes to the back of the pool's queue: other uploads want their turn.
constexpr int chunks_in_a_row = 8;

}  // namespace

UploadFile::UploadFile(Home home, UploadId id, Hasher hasher, std::uint64_t offset)
    : home_{home}, id_{std::move(id)}, hasher_{std::move(hasher)}, offset_{offset}, written_back_{offset}
{
}

UploadFile::~UploadFile()
{
    home_.open.leave(*this);
}

Result<> UploadFile::open(const std::shared_ptr<UploadFile>& previous, bool hash_again)
{
    auto opened = previous ? previous->retire() : Result<>{};
    if (opened) opened = open_and_lock();
    if (opened && hash_again) opened = hash_stored();
    Guard guard{mutex_};
    if (!opened) retired_ = true;
    if (opened) opened = usable(guard);
    become_idle(std::move(guard));
    return opened;
}

Result<> UploadFile::open_and_lock()
{
    const int flags = O_RDWR | O_CLOEXEC | (offset_ == 0 ? O_CREAT : 0);
    file_ = FileDescriptor{::openat(home_.tree.uploads(), id_.text.c_str(), flags, 0600)};
    if (!file_ && errno == ENOENT) return fail(Errc::upload_unknown, "the upload is not known");
    if (!file_) return system_failure("open an upload");
    TRY(const bool locked, try_lock(file_.get()));
    if (!locked) return fail(Errc::conflict, "another process writes to this upload");
    // Between opening and locking the file may have become a blob: it must not be touched then.
    if (!still_has_its_name()) return fail(Errc::upload_unknown, "the upload is not known");
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0) return system_failure("fstat an upload");
    if (static_cast<std::uint64_t>(status.st_size) < offset_) {
        return fail(Errc::upload_unknown, "the upload is not known", "fewer bytes are stored than its session says");
    }
    if (::ftruncate(file_.get(), static_cast<off_t>(offset_)) != 0) return system_failure("truncate an upload");
    return {};
}

Result<> UploadFile::hash_stored()
{
    for (std::uint64_t at = 0; at < offset_;) {
        Buffer chunk;
        TRY(const auto count, read_some(file_.get(), chunk.room(), at));
        if (count == 0) return fail(Errc::upload_unknown, "the upload is not known", "its file became shorter");
        hasher_.update(chunk.room().first(count));
        at += count;
    }
    return {};
}

bool UploadFile::still_has_its_name() const
{
    struct stat opened{};
    struct stat named{};
    return ::fstat(file_.get(), &opened) == 0 && ::fstatat(home_.tree.uploads(), id_.text.c_str(), &named, 0) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

Result<> UploadFile::usable(const Guard&) const
{
    if (used_up_) return fail(Errc::upload_unknown, "the upload has ended");
    if (retired_) return fail(Errc::cancelled, "another request took the upload over");
    if (failure_) return std::unexpected{*failure_};
    return {};
}

Result<> UploadFile::push(Buffer chunk)
{
    const Guard guard{mutex_};
    CHECK(usable(guard));
    if (chunk.empty()) return {};
    queue_.push_back(std::move(chunk));
    ++in_flight_;
    if (!busy_) {
        busy_ = true;
        asio::post(home_.pool, [self = shared_from_this()] { self->run(); });
    }
    return {};
}

Task<> UploadFile::drain_to(std::size_t in_flight)
{
    auto wait = [this, in_flight](Completion<void> completion) {
        Guard guard{mutex_};
        const auto state = usable(guard);
        if (!state || in_flight_ <= in_flight) {
            guard.unlock();
            completion.complete(state);
            return;
        }
        waiter_.emplace(std::move(completion));
        waits_for_ = in_flight;
    };
    {
        const Guard guard{mutex_};
        CO_CHECK(usable(guard));
        if (in_flight_ <= in_flight) co_return Result<>{};
    }
    CO_CHECK(co_await completed_by<void>(std::move(wait)));
    co_return Result<>{};
}

void UploadFile::run()
{
    for (int count = 0; count < chunks_in_a_row; ++count) {
        Buffer chunk = [this] {
            const Guard guard{mutex_};
            auto first = std::move(queue_.front());
            queue_.pop_front();
            return first;
        }();
        auto written = write(chunk);
        Guard guard{mutex_};
        --in_flight_;
        if (!written && !failure_) failure_ = std::move(written).error();
        if (failure_ || retired_) {
            in_flight_ = 0;
            queue_.clear();
        }
        if (queue_.empty()) return become_idle(std::move(guard));
        if (waiter_ && in_flight_ <= waits_for_) {
            auto waiter = std::exchange(waiter_, std::nullopt);
            guard.unlock();
            waiter->complete({});
        }
    }
    asio::post(home_.pool, [self = shared_from_this()] { self->run(); });
}

Result<> UploadFile::write(const Buffer& chunk)
{
    hasher_.update(chunk.bytes());
    CHECK(write_all(file_.get(), chunk.bytes(), offset_));
    offset_ += chunk.size();
    if (offset_ - written_back_ >= writeback_step) start_writeback();
    return {};
}

void UploadFile::start_writeback()
{
    const auto from = static_cast<off_t>(written_back_);
    const auto count = static_cast<off_t>(offset_ - written_back_);
    // Only a hint: what fails here fails again, and is reported, when the file is synced.
    ::sync_file_range(file_.get(), from, count, SYNC_FILE_RANGE_WRITE);
    written_back_ = offset_;
}

void UploadFile::become_idle(Guard guard)
{
    busy_ = false;
    // The next writer can't lock the file before this one has closed it.
    if (retired_) file_.reset();
    auto waiter = std::exchange(waiter_, std::nullopt);
    auto state = usable(guard);
    idle_.notify_all();
    guard.unlock();
    if (waiter) waiter->complete(std::move(state));
}

Result<> UploadFile::retire(std::chrono::milliseconds patience)
{
    Guard guard{mutex_};
    retired_ = true;
    if (!idle_.wait_for(guard, patience, [this] { return !busy_; })) {
        return fail(Errc::conflict, "another request still writes to this upload");
    }
    file_.reset();
    return {};
}

void UploadFile::abandon()
{
    const Guard guard{mutex_};
    retired_ = true;
    // A job under way has its chunk already, and ends when it sees that this is retired.
    if (!busy_) file_.reset();
}

BlobUpload::Progress UploadFile::progress() const
{
    const Guard guard{mutex_};
    return {offset_, hasher_.state()};
}

Result<> UploadFile::begin_finish()
{
    const Guard guard{mutex_};
    CHECK(usable(guard));
    busy_ = true;
    return {};
}

void UploadFile::end_finish(bool used_up)
{
    Guard guard{mutex_};
    if (used_up) {
        used_up_ = true;
        file_.reset();
    }
    become_idle(std::move(guard));
}

Result<std::uint64_t> UploadFile::finish(const Digest& expected)
{
    CHECK(begin_finish());
    auto size = publish(expected);
    end_finish(size || size.error().code() == Errc::digest_mismatch);
    return size;
}

Result<std::string> UploadFile::take_bytes(const Digest& expected)
{
    CHECK(begin_finish());
    auto bytes = read_back(expected);
    if (!bytes) end_finish(bytes.error().code() == Errc::digest_mismatch);
    return bytes;
}

void UploadFile::bytes_taken(bool stored)
{
    if (stored) ::unlinkat(home_.tree.uploads(), id_.text.c_str(), 0);
    end_finish(stored);
}

Result<> UploadFile::verify(const Digest& expected)
{
    if (hasher_.algorithm() == expected.algorithm() && hasher_.digest() == expected) return {};
    ::unlinkat(home_.tree.uploads(), id_.text.c_str(), 0);
    return fail(Errc::digest_mismatch, "the content does not have the digest " + expected.text());
}

Result<std::uint64_t> UploadFile::publish(const Digest& expected)
{
    CHECK(verify(expected));
    // How old a blob is counts from now on, not from when its last byte came.
    if (::futimens(file_.get(), nullptr) != 0) return system_failure("date an upload");
    CHECK(sync_data(file_.get()));
    CHECK(home_.tree.publish_upload(id_.text, expected));
    CHECK(home_.tree.sync_name(expected));
    return offset_;
}

Result<std::string> UploadFile::read_back(const Digest& expected)
{
    CHECK(verify(expected));
    std::string bytes(offset_, '\0');
    TRY(const auto count, read_some(file_.get(), std::as_writable_bytes(std::span{bytes}), 0));
    if (count != bytes.size())
        return fail(Errc::corrupt, "the upload is damaged", "its file is shorter than what was written");
    return bytes;
}

}  // namespace entrepot
